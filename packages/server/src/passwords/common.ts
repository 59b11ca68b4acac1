// The offline list of common passwords, loaded when a password is first set: signing in never needs it.

/** No entry has more characters: a longer password need not be looked up, and then the list is never loaded. */
export const longestCommonPassword = 20;

let list: Promise<ReadonlySet<string>> | undefined;

/** Tens of thousands of the most used passwords, in lower case. */
export async function commonPasswords(): Promise<ReadonlySet<string>> {
  list ??= import('@zxcvbn-ts/language-common').then(
    (module) =>
      new Set<string>((module.dictionary['passwords-common'] as string[]).map((word) => word.toLowerCase())),
  );
  return await list;
}
