// The people who sign in, the same for every system.
export const firstPassword = 'correct horse battery 7 staple';

export function firstEmail(i: number): string {
  return `person${i}@example.com`;
}

export function firstUsername(i: number): string {
  return `person${i}`;
}
