// Keeps the children of `latchkey start` alive and stops them in order. One that ends after it was ready is started
// again, sooner or later depending on how often it happened; one that never became ready ends the start. Stopping goes
// backwards: what was started last (the gateway) stops first, so that nobody is sent to a service that is gone.
import { type ChildPlan, type RunningChild, runChild } from './child.ts';
import type { LogLine } from './log_lines.ts';
import type { ReadyMessage } from './messages.ts';

/** Milliseconds. */
const firstPause = 100;
const longestPause = 10_000;
const healthyAfter = 30_000;
const stopGrace = 6_000;

export interface SupervisorEvents {
  readonly line: (name: string, line: LogLine) => void;
  /** Something a person should know: a crash, a restart. */
  readonly remark: (text: string) => void;
}

export interface Supervisor {
  /** Starts one and waits until it is ready. @throws CommandError when it ends before */
  start(plan: ChildPlan): Promise<ReadyMessage>;
  /** Stops all, the last one started first. */
  stop(): Promise<void>;
  /** Ends all at once, whatever they are doing. */
  kill(): void;
  /** The processes that run now, by name. */
  pids(): Readonly<Record<string, number>>;
}

interface Kept {
  readonly plan: ChildPlan;
  current: RunningChild;
  pause: number;
  timer?: NodeJS.Timeout;
}

export function createSupervisor(events: SupervisorEvents): Supervisor {
  const kept: Kept[] = [];
  let stopping = false;

  const run = (plan: ChildPlan) => runChild(plan, (line) => events.line(plan.name, line));

  const watch = (each: Kept, startedAt: number) => {
    each.current.exited.then((how) => {
      if (stopping) return;
      if (Date.now() - startedAt > healthyAfter) each.pause = firstPause;
      events.remark(`${each.plan.name} ended (${how}), starting it again`);
      each.timer = setTimeout(() => restart(each), each.pause);
      each.pause = Math.min(each.pause * 2, longestPause);
    });
  };

  const restart = (each: Kept) => {
    each.current = run(each.plan);
    watch(each, Date.now());
    each.current.ready.then(
      () => events.remark(`${each.plan.name} is back`),
      () => {}, // its end is told by `watch`
    );
  };

  return {
    async start(plan) {
      const each: Kept = { plan, current: run(plan), pause: firstPause };
      kept.push(each);
      const ready = await each.current.ready;
      watch(each, Date.now());
      return ready;
    },
    async stop() {
      stopping = true;
      for (const each of kept.toReversed()) {
        clearTimeout(each.timer);
        await each.current.stop(stopGrace);
      }
    },
    kill() {
      stopping = true;
      for (const each of kept) {
        clearTimeout(each.timer);
        each.current.kill();
      }
    },
    pids() {
      return Object.fromEntries(
        kept.flatMap(({ plan, current }) => (current.pid === undefined ? [] : [[plan.name, current.pid]])),
      );
    },
  };
}
