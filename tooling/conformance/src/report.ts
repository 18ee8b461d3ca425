export interface AreaOutcome {
  readonly held: number;
  /** Cases that a row of the deviations decides otherwise, each with a test of the better behaviour. */
  readonly superseded: number;
  readonly failed: number;
  /** Cases whose feature is not there yet, counted by reason. */
  readonly pending?: ReadonlyMap<string, number> | undefined;
}

/** Prints one line about an area to standard output, to be called after its last case. */
export function reportArea(area: string, { held, superseded, failed, pending }: AreaOutcome): void {
  const waiting = [...(pending ?? [])];
  const waitingCount = waiting.reduce((sum, [, count]) => sum + count, 0);
  const total = held + superseded + failed + waitingCount;
  let line = `conformance ${area}: ${held} of ${total} hold, ${superseded} superseded`;
  if (waitingCount > 0) {
    line += `, ${waitingCount} pending (${waiting.map(([reason, count]) => `${reason}: ${count}`).join("; ")})`;
  }
  if (failed > 0) line += `, ${failed} FAILED`;
  process.stdout.write(`${line}\n`);
}
