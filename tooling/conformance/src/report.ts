export interface AreaOutcome {
  readonly held: number;
  /** Cases that a row of the deviations decides otherwise, each with a test of the better behaviour. */
  readonly superseded: number;
  readonly failed: number;
  /** Cases whose feature is not there yet, counted by reason. */
  readonly pending?: ReadonlyMap<string, number> | undefined;
  /** Cases that cannot be asked as they stand, counted by reason. */
  readonly apart?: ReadonlyMap<string, number> | undefined;
}

/** Prints one line about an area to standard output, to be called after its last case. */
export function reportArea(area: string, { held, superseded, failed, pending, apart }: AreaOutcome): void {
  const kinds = [["pending", pending], ["apart", apart]] as const;
  let total = held + superseded + failed;
  let rest = "";
  for (const [kind, reasons] of kinds) {
    const count = [...(reasons?.values() ?? [])].reduce((sum, one) => sum + one, 0);
    if (count === 0) continue;
    total += count;
    rest += `, ${count} ${kind} (${[...(reasons ?? [])].map(([reason, one]) => `${reason}: ${one}`).join("; ")})`;
  }
  let line = `conformance ${area}: ${held} of ${total} hold, ${superseded} superseded${rest}`;
  if (failed > 0) line += `, ${failed} FAILED`;
  process.stdout.write(`${line}\n`);
}
