// Names of users, roles and permissions: folded to lower case first, then matched against one closed alphabet, so that
// no two spellings of a name exist (threats L12, C08).

const namePattern = /^[a-z0-9][a-z0-9._:-]{0,63}$/;
const emailPattern = /^[^\s@"<>()[\]\\,;:\p{C}]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}$/u;

/** The canonical form, or undefined when there is none. */
export function foldName(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const folded = text.toLowerCase();
  return namePattern.test(folded) ? folded : undefined;
}

/** The canonical form of an e-mail address: lower case, 254 characters at most. Not checked: that it receives mail. */
export function foldEmail(text: string): string | undefined {
  if (text.length > 254) return undefined;
  const folded = text.normalize('NFKC').toLowerCase();
  return emailPattern.test(folded) ? folded : undefined;
}

/** What a person types at sign-in: a username or an e-mail address. Never refused, so that nothing is told by it. */
export function foldLogin(text: string): string {
  return (text.includes('@') ? foldEmail(text) : foldName(text)) ?? '';
}
