// The service behind the gateways: answers everything at once and verifies nothing, so that what is measured is the gateway.
// `node upstream.ts` prints "ready PORT".
import { createServer } from 'node:http';

const body = '{"records":[]}';
const headers = { 'content-type': 'application/json', 'content-length': body.length };
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, headers).end(body);
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => console.log(`ready ${(server.address() as { port: number }).port}`));
