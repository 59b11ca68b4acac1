// argon2id (RFC 9106) through its native binding: the one place that names the library.
import { hash as hashPassword, verify as verifyPassword } from '@node-rs/argon2';

export interface HashingParameters {
  /** KiB. */
  readonly memory: number;
  readonly iterations: number;
  readonly parallelism: number;
}

const argon2id = 2;

export async function hash(password: string, parameters: HashingParameters): Promise<string> {
  return await hashPassword(password, {
    algorithm: argon2id,
    memoryCost: parameters.memory,
    timeCost: parameters.iterations,
    parallelism: parameters.parallelism,
  });
}

export async function verify(phc: string, password: string): Promise<boolean> {
  return await verifyPassword(phc, password);
}

/** The part of a PHC string that says how it was hashed: `$argon2id$v=19$m=19456,t=2,p=1`. */
export function parsePhc(phc: string): string {
  return phc.split('$').slice(0, 4).join('$');
}
