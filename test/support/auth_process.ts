// An auth server in a process of its own, to be killed or watched from outside: `node auth_process.ts '<options as JSON>'`.
// Says where it listens in one line of JSON, and ends when its standard input closes, so that nothing outlives a test.
import { createAuthServer } from '@latchkey/server';

const options = JSON.parse(process.argv[2] ?? '{}');
process.stdin.resume().on('close', () => process.exit(0));

try {
  const server = await createAuthServer(options);
  const listening = await server.listen();
  process.stdout.write(`${JSON.stringify(listening)}\n`);
} catch (error) {
  const { name, message } = error as Error;
  process.stdout.write(`${JSON.stringify({ refused: name, message })}\n`);
  process.exitCode = 1;
  process.stdin.destroy();
}
