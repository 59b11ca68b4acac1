// Step 1: one reading of the request, or 400. Node's parser has already refused broken framing; this step refuses what
// two HTTP implementations could still read differently: target forms, doubled Host or Authorization, a Transfer-Encoding
// that is not plain `chunked` (RFC 9112 §6.1), too many header fields.
//
// It reads the raw header list once and copies nothing but what the later steps ask for.
import type { IncomingMessage } from 'node:http';
import { isPlainQuery, pathFault } from './path.ts';
import {
  invalidRequest,
  type Refusal,
  refusedUpgrade,
  tooManyHeaders,
  unmetExpectation,
} from './refusals.ts';

/** A request with exactly one reading. */
export interface NormalRequest {
  readonly method: string;
  /** As it came, without the query; forwarded byte for byte. */
  readonly path: string;
  /** Path and query, as they came. */
  readonly target: string;
  /** Lower case, without the port. */
  readonly host: string;
  /** The Host field as it came. */
  readonly authority: string;
  readonly rawHeaders: readonly string[];
  readonly authorization: string | undefined;
  readonly framing: Framing;
  /** Lower-case names that the Connection field lists, apart from `close`, `keep-alive`, `upgrade`. */
  readonly connectionOptions: readonly string[];
  readonly expectsContinue: boolean;
  /** Only where an upgrade was asked for: always `websocket`. */
  readonly upgrade: boolean;
}

/** RFC 9112 §6: how long the body is. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'length'; readonly bytes: number };

interface Collected {
  host: string | undefined;
  hosts: number;
  authorization: string | undefined;
  authorizations: number;
  length: string | undefined;
  coding: string | undefined;
  connection: string | undefined;
  expect: string | undefined;
  upgrade: string | undefined;
}

const noBody: Framing = { kind: 'none' };
const chunkedBody: Framing = { kind: 'chunked' };
const noOptions: readonly string[] = [];
const authorityForm = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;

/** `upgrading` says whether Node handed the request over as an upgrade (Connection lists it and Upgrade is there). */
export function normalise(
  request: IncomingMessage,
  headerCountLimit: number,
  upgrading: boolean,
): NormalRequest | Refusal {
  const { rawHeaders, url: target = '', method = '' } = request;
  if (rawHeaders.length > headerCountLimit * 2) return tooManyHeaders;
  const collected = collect(rawHeaders);

  const authority = collected.host ?? '';
  if (collected.hosts !== 1 || authority.length > 261 || !authorityForm.test(authority)) {
    return invalidRequest('bad_host', 'The request needs exactly one valid Host field.');
  }
  if (collected.authorizations > 1) {
    return invalidRequest('ambiguous_headers', 'The request has more than one Authorization field.');
  }
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (pathFault(path) !== undefined || (mark >= 0 && !isPlainQuery(target.slice(mark + 1)))) {
    return invalidRequest('ambiguous_path', 'The path has more than one reading.');
  }
  const framing = framingOf(collected, request);
  if (framing === undefined) return invalidRequest('bad_framing', 'The length of the body is not clear.');
  if (collected.expect !== undefined && collected.expect.toLowerCase() !== '100-continue')
    return unmetExpectation;
  if (!isKnownUpgrade(collected.upgrade, upgrading, method, framing, request)) return refusedUpgrade;

  return {
    method,
    path,
    target,
    host: hostName(authority),
    authority,
    rawHeaders,
    authorization: collected.authorization,
    framing,
    connectionOptions: optionsOf(collected.connection),
    expectsContinue: collected.expect !== undefined,
    upgrade: upgrading,
  };
}

function collect(rawHeaders: readonly string[]): Collected {
  const found: Collected = {
    host: undefined,
    hosts: 0,
    authorization: undefined,
    authorizations: 0,
    length: undefined,
    coding: undefined,
    connection: undefined,
    expect: undefined,
    upgrade: undefined,
  };
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    // The length picks out the few names of interest before any lower-casing.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host') {
          found.host = value;
          found.hosts += 1;
        }
        break;
      case 6:
        if (name.toLowerCase() === 'expect') found.expect = join(found.expect, value);
        break;
      case 7:
        if (name.toLowerCase() === 'upgrade') found.upgrade = join(found.upgrade, value);
        break;
      case 10:
        if (name.toLowerCase() === 'connection') found.connection = join(found.connection, value);
        break;
      case 13:
        if (name.toLowerCase() === 'authorization') {
          found.authorization = value;
          found.authorizations += 1;
        }
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') found.length = join(found.length, value);
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') found.coding = join(found.coding, value);
        break;
    }
  }
  return found;
}

function join(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function framingOf({ length, coding }: Collected, request: IncomingMessage): Framing | undefined {
  if (coding !== undefined) {
    // RFC 9112 §6.1: never both, and HTTP/1.0 has no transfer codings.
    if (length !== undefined || coding.toLowerCase() !== 'chunked' || request.httpVersion !== '1.1')
      return undefined;
    return chunkedBody;
  }
  if (length === undefined) return noBody;
  if (!/^[0-9]{1,15}$/.test(length)) return undefined;
  return { kind: 'length', bytes: Number(length) };
}

/** RFC 6455 §4.1; a body or any other protocol (h2c, TLS) would let bytes pass that nobody here has read. */
function isKnownUpgrade(
  upgrade: string | undefined,
  upgrading: boolean,
  method: string,
  framing: Framing,
  request: IncomingMessage,
): boolean {
  if (!upgrading) return upgrade === undefined;
  return (
    upgrade?.toLowerCase() === 'websocket' &&
    method === 'GET' &&
    framing.kind === 'none' &&
    request.httpVersion === '1.1'
  );
}

function hostName(authority: string): string {
  const colon = authority.indexOf(':', authority.indexOf(']') + 1);
  return (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
}

function optionsOf(connection: string | undefined): readonly string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return noOptions;
  return connection
    .toLowerCase()
    .split(',')
    .map((option) => option.trim())
    .filter(
      (option) => option !== '' && option !== 'close' && option !== 'keep-alive' && option !== 'upgrade',
    );
}
