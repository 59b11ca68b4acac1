// How a batch is changed on its way: what a broken network, a broken sender or somebody in between may make of the frames that should
// have arrived. Pure; `at` picks the place.
import type { Mangle } from './history.ts';
import { frameOf } from './model_issuer.ts';

export function mangled(frames: readonly string[], how: Mangle, at: number, next: string): readonly string[] {
  const place = at % frames.length;
  const other = (at >> 3) % frames.length;
  const before = frames.slice(0, -1);
  const heartbeat = frames.at(-1) as string;
  switch (how) {
    case 'drop':
      return frames.filter((_, index) => index !== place);
    case 'duplicate':
      return frames.flatMap((frame, index) => (index === place ? [frame, frame] : [frame]));
    case 'swap':
      return frames.map((frame, index) =>
        index === place ? (frames[other] as string) : index === other ? (frames[place] as string) : frame,
      );
    case 'corrupt':
      return frames.map((frame, index) => (index === place ? changedAt(frame, at) : frame));
    case 'truncate': {
      const text = frames.join('');
      return [text.slice(0, at % text.length)];
    }
    case 'alter':
      return withOtherData(frames, place, '{"by":"client","value":"front"}');
    case 'suppress':
      return withOtherData(frames, place, '{"by":"jti","value":"nobody"}');
    case 'insert':
      return [...before, forgedEvent(next), heartbeat];
    case 'unknown event':
      return [...before, 'event: weather\ndata: {"sky":"grey"}\n\n', heartbeat];
    case 'unknown signal':
      return [...before, `id: ${next}\nevent: weather\ndata: {}\n\n`, heartbeat];
    case 'reset':
      return [...before, 'event: reset\ndata: {}\n\n', heartbeat];
    case 'long':
      return [...before, `data: ${'x'.repeat(20_000)}\n\n`, heartbeat];
    case 'lie':
      return [...before, heartbeat.replace(/"as_of":\d+,"seq":\d+/, '"as_of":4000000000000,"seq":99')];
  }
}

export function forgedEvent(id: string): string {
  return frameOf({ id, event: 'revoke', data: '{"by":"client","value":"front"}' });
}

/** The event bears the number that it should, and says something else. */
function withOtherData(frames: readonly string[], place: number, data: string): readonly string[] {
  return frames.map((frame, index) =>
    index === place && frame.startsWith('id:')
      ? frame.replace(/^event: .*$/m, 'event: revoke').replace(/^data: .*$/m, `data: ${data}`)
      : frame,
  );
}

/** One character becomes another one. */
function changedAt(text: string, at: number): string {
  const place = (at * 7) % text.length;
  const character = text[place] === '1' ? '2' : '1';
  return text.slice(0, place) + character + text.slice(place + 1);
}
