// What our own children tell their parent over the channel. Other programs say nothing and are watched from outside.
import { CommandError } from '../failure.ts';

export interface ReadyMessage {
  readonly type: 'latchkey:ready';
  /** Where it listens, as a URL. */
  readonly address?: string | undefined;
  readonly internal?: string | undefined;
  readonly socket?: string | undefined;
  /** Only when a password was generated at this start. It travels over this channel and is never logged. */
  readonly firstAdmin?: { readonly username: string; readonly password: string } | undefined;
}

export interface FailedMessage {
  readonly type: 'latchkey:failed';
  readonly message: string;
  readonly hint?: string | undefined;
  readonly exitCode?: 1 | 2 | undefined;
}

/** A failure as it travels; what nobody foresaw is told by its message alone. */
export function failedMessage(error: unknown): FailedMessage {
  if (error instanceof CommandError) {
    const { message, hint, exitCode } = error;
    return { type: 'latchkey:failed', message, hint, exitCode };
  }
  return { type: 'latchkey:failed', message: error instanceof Error ? error.message : String(error) };
}

export type ChildMessage = ReadyMessage | FailedMessage;

export function isChildMessage(value: unknown): value is ChildMessage {
  const type = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  return type === 'latchkey:ready' || type === 'latchkey:failed';
}

/** Tells the parent, when there is one that listens. */
export function tellParent(message: ChildMessage): boolean {
  if (process.send === undefined) return false;
  process.send(message);
  return true;
}
