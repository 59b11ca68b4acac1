// What becomes of a header field that a client, or an upstream, sent. One table for each direction, by lower-case name.
//
// Some servers turn a field name into a variable (CGI, WSGI, PHP) and read `_`, `.` and other marks like `-`: for the
// families below every such mark counts as `-`, so that `X_Auth.Subject` goes the way of `X-Auth-Subject`.

export type Fate =
  /** Forwarded as it is. */
  | 'keep'
  /** Not forwarded: hop-by-hop, an identity or address claim, an override, or framing that we write ourselves. */
  | 'drop'
  /** Forwarded without our own cookies. */
  | 'cookie'
  /** Forwarded only where the field it belongs to is kept (`tracestate` with `traceparent`). */
  | 'trace'
  /** Decided by mutate, which writes it anew. */
  | 'ours'
  /** The subprotocols of a WebSocket: the token among them is taken out. */
  | 'subprotocol';

/** RFC 9110 §7.6.1 and RFC 2616 §13.5.1: they mean the one connection they came over. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

const requestFates = new Map<string, Fate>([
  ...hopByHop.map((name): [string, Fate] => [name, 'drop']),
  ['content-length', 'drop'],
  ['expect', 'drop'],
  ['host', 'ours'],
  ['authorization', 'ours'],
  ['x-request-id', 'ours'],
  ['traceparent', 'trace'],
  ['tracestate', 'trace'],
  ['cookie', 'cookie'],
  ['sec-websocket-protocol', 'subprotocol'],
]);

/** Families whose fields only a gateway may set: who the user is, where the client is, what was really asked for. */
const forgedFamilies = ['x-auth-', 'x-user-', 'x-remote-', 'x-authenticated-', 'x-forwarded-'];
const forgedNames = new Set([
  'x-auth',
  'x-user',
  'remote-user',
  'remote-addr',
  'forwarded',
  'x-forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-original-host',
  'x-original-method',
  'x-rewrite-url',
  // CGI would read it as HTTP_PROXY, the setting of an outgoing proxy.
  'proxy',
]);

/** The same few names come with every request, so their fate is remembered; strange ones are worked out each time. */
const remembered = new Map<string, Fate>();
const rememberedLimit = 512;

export function requestFate(name: string): Fate {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const fate = workOut(name.toLowerCase());
  if (remembered.size < rememberedLimit) remembered.set(name, fate);
  return fate;
}

function workOut(name: string): Fate {
  const fate = requestFates.get(name);
  if (fate !== undefined) return fate;
  const plain = name.replace(/[^a-z0-9]/g, '-');
  if (forgedNames.has(plain) || forgedFamilies.some((family) => plain.startsWith(family))) return 'drop';
  // `Content_Length` and the like mean nothing in HTTP, but a CGI upstream would take them for the real field.
  return plain !== name && requestFates.has(plain) ? 'drop' : 'keep';
}

const responseFates = new Map<string, Fate>([
  ...hopByHop.map((name): [string, Fate] => [name, 'drop']),
  ['x-request-id', 'ours'],
  ['set-cookie', 'cookie'],
]);

export function responseFate(name: string): Fate {
  return responseFates.get(name.toLowerCase()) ?? 'keep';
}
