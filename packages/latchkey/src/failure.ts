// What a command says when it cannot do what was asked: one line in lower case without a full stop, then a hint that
// names the command or setting that was probably wanted. Nothing secret may be put into either.

export interface FailureOptions {
  /** What to do about it; shown on its own line after `hint:`. */
  readonly hint?: string | undefined;
  /** The exit code: 1 for what failed, 2 for what was asked wrongly. @default 1 */
  readonly exitCode?: 1 | 2 | undefined;
}

/** A failure that is told to the person at the terminal, without a stack trace. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly hint: string | undefined;
  readonly exitCode: 1 | 2;

  constructor(message: string, options: FailureOptions = {}) {
    super(message);
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The caller's mistake: a wrong argument, an unknown option. */
export function usageError(message: string, hint?: string): CommandError {
  return new CommandError(message, { hint, exitCode: 2 });
}
