/** The tables of the forwarder once more from end to end: bytes of a client, a front server, a transport, bytes at a destination. */
import { BadRequestError } from "@proxy/http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConformanceCase, loadArea } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { supersededBy } from "./header-cases.ts";
import { Combination, combinations, type FrontName, type TransportName } from "./wire/combination.ts";
import { holdsOnTheWire, isFailure, isRefused } from "./wire/header-plays.ts";
import { notOnTheWire, refusedByFront, refusedByTransport } from "./wire/not-on-the-wire.ts";
import { pathArrives, pathIsRefused, pathNotOnTheWire } from "./wire/path-plays.ts";

type Play = (item: ConformanceCase, wire: Combination) => Promise<void>;

/** What is done with a case: played as it stands, or otherwise for a reason; without a play it is only counted. */
interface Plan {
  readonly play?: Play | undefined;
  readonly reason?: string | undefined;
}

class Count {
  asked = 0;
  held = 0;
  superseded = 0;
  readonly apart = new Map<string, number>();

  add({ reason }: Plan): void {
    if (reason !== undefined) this.apart.set(reason, (this.apart.get(reason) ?? 0) + 1);
  }
}

const headers = loadArea("forwarder-headers");
const paths = loadArea("forwarder-uri");
const counts = new Map([headers, paths].map(({ area }) => [area, new Count()]));

function planOfHeaders(item: ConformanceCase, front: FrontName, transport: TransportName): Plan {
  const unheard = notOnTheWire(item, front, transport);
  if (unheard !== undefined) return { reason: unheard };
  const refused = refusedByFront(item, front);
  if (refused !== undefined) return { play: isRefused, reason: `refused by the front server, ${refused}` };
  const failed = refusedByTransport(item, transport);
  if (failed !== undefined) return { play: isFailure, reason: `refused by the transport, ${failed}` };
  return { play: holdsOnTheWire };
}

function planOfPath(item: ConformanceCase): Plan {
  const unheard = pathNotOnTheWire(item);
  if (unheard !== undefined) return { reason: unheard };
  return pathIsRefused.applies(item) ? { play: pathIsRefused.play, reason: pathIsRefused.reason } : { play: pathArrives };
}

describe.each(combinations)("a client of the %s server and a destination of the %s client", (front, transport) => {
  let wire: Combination;

  beforeAll(async () => {
    wire = await Combination.open(front, transport);
  });

  afterAll(async () => {
    // What the front server refused is told there too.
    expect(wire.faults.filter((error) => !(error instanceof BadRequestError))).toEqual([]);
    expect(wire.destination.faults).toEqual([]);
    await wire.close();
  });

  const ask = (area: string, item: ConformanceCase, { play, reason }: Plan): void => {
    const count = counts.get(area) as Count;
    count.add({ reason });
    if (play === undefined) return;
    if (reason === undefined) count.asked++;
    test(`${item.id}: ${item.title}${reason === undefined ? "" : ` (${reason})`}`, async () => {
      await play(item, wire);
      if (reason === undefined) count.held++;
    });
  };

  for (const item of headers.cases) {
    if (item.given.kind === "scenario") continue;
    if (supersededBy(item) === undefined) ask(headers.area, item, planOfHeaders(item, front, transport));
    else (counts.get(headers.area) as Count).superseded++;
  }
  for (const item of paths.cases) ask(paths.area, item, planOfPath(item));
});

afterAll(() => {
  for (const [area, { asked, held, superseded, apart }] of counts) {
    reportArea(`${area} over ${combinations.length} wires`, { held, superseded, failed: asked - held, apart });
  }
});
