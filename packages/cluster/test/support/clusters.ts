import type { Exchange } from "@proxy/http";
import { ClusterState, DestinationState, firstAlphabetical, type RandomSource } from "@proxy/cluster";

/** Destinations by id, each with so many requests under way. */
export function destinationsOf(...counts: readonly (readonly [id: string, inFlight: number])[]): DestinationState[] {
  return counts.map(([id, inFlight]) => {
    const destination = new DestinationState(id, { config: { address: `http://${id}/` } });
    destination.inFlight = inFlight;
    return destination;
  });
}

export function emptyCluster(id = "cluster1"): ClusterState {
  return new ClusterState(id, { config: { clusterId: id }, loadBalancing: firstAlphabetical });
}

/** A source that gives `numbers` one after the other, and fails when they are used up. */
export function randomOf(numbers: readonly number[]): RandomSource {
  let next = 0;
  return (bound) => {
    const number = numbers[next++];
    if (number === undefined) throw new Error("more random numbers were drawn than the test gives");
    if (number >= bound) throw new Error(`the test gives ${number} where a number below ${bound} is drawn`);
    return number;
  };
}

/** No policy of ours looks at the exchange. */
export const noExchange = {} as Exchange;

export function idsOf(destinations: readonly DestinationState[]): string[] {
  return destinations.map((each) => each.id);
}
