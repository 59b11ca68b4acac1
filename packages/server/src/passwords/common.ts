// The offline list of common passwords, loaded when a password is first set: signing in never needs it.

let list: Promise<ReadonlySet<string>> | undefined;

/** Tens of thousands of the most used passwords, in lower case. */
export async function commonPasswords(): Promise<ReadonlySet<string>> {
  list ??= import('@zxcvbn-ts/language-common').then(
    (module) =>
      new Set<string>((module.dictionary['passwords-common'] as string[]).map((word) => word.toLowerCase())),
  );
  return await list;
}
