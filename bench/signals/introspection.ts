// A client of POST /auth/introspect (RFC 7662) in its best form: connections that stay open, as many as there are questions at one
// moment, our own HTTP client (Node's costs more a request than some servers), and nothing else.
import { type Connection, formRequest, openConnection } from '../harness/http_connection.ts';
import { basic, type RegisteredClient } from './people.ts';

/** Answers whether the token is active; rejects when nobody says so within `patience` milliseconds. */
export function createIntrospection(
  port: number,
  client: RegisteredClient,
  patience: number,
): (token: string) => Promise<boolean> {
  const free: Connection[] = [];
  const headers = basic(client);
  return async (token) => {
    const connection = free.pop() ?? openConnection(port);
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error('no answer in time')), patience);
    });
    try {
      const asked = connection.send(formRequest('/auth/introspect', { token }, headers));
      asked.catch(() => {});
      const { status, body } = await Promise.race([asked, tooLate]);
      if (status !== 200) throw new Error(`introspection answered ${status}`);
      free.push(connection);
      return body.startsWith('{"active":true');
    } catch (error) {
      // An answer that is still to come must not be taken for the next one.
      connection.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  };
}
