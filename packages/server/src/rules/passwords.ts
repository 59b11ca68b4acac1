// Which passwords may be set (NIST SP 800-63B-4 §3.1.1.2, ASVS 6.2): long enough, not common, not made of the person's
// own names; no composition rules, no expiry. Passwords are normalised to NFKC once, here, so that the same keys typed on
// two machines give the same bytes; every character counts.

export interface PasswordPolicy {
  /** In code points. @default 15 */
  readonly minLength: number;
  readonly common: ReadonlySet<string>;
  /** Words that must not be the bulk of a password: username, e-mail address, the service's name. */
  readonly context: readonly string[];
}

/** Code points. */
export const maxPasswordLength = 1024;

export function normalisePassword(password: string): string {
  return password.normalize('NFKC');
}

/** Why the (normalised) password may not be set, for the person who chose it; undefined when it may. */
export function passwordFault(password: string, policy: PasswordPolicy): string | undefined {
  const length = [...password].length;
  if (length < policy.minLength) return `The password needs at least ${policy.minLength} characters.`;
  if (length > maxPasswordLength) return `The password may have at most ${maxPasswordLength} characters.`;
  const folded = password.toLowerCase();
  if (coresOf(folded).some((word) => policy.common.has(word)))
    return 'This password is one of the most used ones.';
  if (isMonotonous(folded)) return 'This password is a simple pattern.';
  if (isContext(folded, policy.context))
    return 'The password must not consist of your name or the name of the service.';
  return undefined;
}

/** What must not be on the list: the password, what is left without digits and signs at its ends, and what they repeat. */
function coresOf(folded: string): string[] {
  const trimmed = folded.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  return [folded, trimmed, repeatedUnit(folded), repeatedUnit(trimmed)].filter((word) => word.length >= 4);
}

/** Whether the list has to be looked at: nothing on it is longer than `longest`. A password too long to be set costs no search. */
export function needsCommonList(password: string, longest: number): boolean {
  if ([...password].length > maxPasswordLength) return false;
  return coresOf(password.toLowerCase()).some((word) => word.length <= longest);
}

/** `abcabcabc` → `abc`; a word that repeats nothing is its own unit. */
function repeatedUnit(word: string): string {
  const period = (word + word).indexOf(word, 1);
  return word.slice(0, period);
}

/** One character or a short run over and over, or the keyboard's and the alphabet's own order. */
function isMonotonous(folded: string): boolean {
  if (new Set(folded).size < 4) return true;
  const points = [...folded].map((character) => character.codePointAt(0) ?? 0);
  return (
    [1, -1].every((step) => points.slice(1).some((point, i) => point - (points[i] ?? 0) !== step)) === false
  );
}

/** True when what is left without the context words would be shorter than eight characters. */
function isContext(folded: string, context: readonly string[]): boolean {
  const words = context.map((word) => word.toLowerCase()).filter((word) => word.length >= 3);
  const rest = words.reduce((text, word) => text.replaceAll(word, ''), folded);
  return rest !== folded && [...rest].length < 8;
}
