// Loaded with --import before every child program. The channel to the parent is a lifeline: when it closes, the parent
// is gone, SIGKILL included, and the child stops too. It gets the chance to stop in order, but not for long. A program
// that runs under it needs to know nothing of Latchkey.

/** Time to stop in order once the parent is gone, in milliseconds. */
const lastGrace = 3_000;

function parentIsGone(): void {
  // Our output went to the parent; writing there now fails, and that must not end the orderly stop.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  setTimeout(() => process.exit(1), lastGrace).unref();
  process.kill(process.pid, 'SIGTERM');
}

if (process.channel != null) {
  process.once('disconnect', parentIsGone);
  // The listener alone would keep a program alive that has nothing left to do.
  process.channel.unref();
}
