import * as Schema from "effect/Schema";
import { field } from "./field.ts";
import { Bool, Duration, Integer, OneOf, Text } from "./scalars.ts";

/** `Retry` of clusters and of routes. */
export const Retry = Schema.Struct({
  enabled: field(Bool, "Writing the section turns retries on; false turns them off.", { default: true }),
  maxAttempts: field(Integer(1, 10), "Attempts in all, the first included: 1 to 10.", { default: 3 }),
  on: field(
    Schema.Array(OneOf(["ConnectFailure", "Reset", "Timeout"])),
    "`ConnectFailure`: no connection. `Reset`: it broke, or what came was no HTTP, before the response head. `Timeout`: no head in time.",
    { defaultText: "all three" },
  ),
  statusCodes: field(Schema.Array(Integer(400, 599)), "Statuses of destinations that count as failures, 400 to 599.", { defaultText: "none" }),
  methods: field(Schema.Array(Text), "Methods that are tried again.", { defaultText: "the idempotent ones: DELETE, GET, HEAD, OPTIONS, PUT, TRACE" }),
  perTryTimeout: field(Duration, "For each attempt until the response head, above 0.", { defaultText: "none" }),
  maxBodySize: field(Integer(0, 16_777_216), "Bytes of a request body kept for another attempt; a request with a larger one is not tried again.", {
    default: 65_536,
  }),
});

export const RetryBudget = Schema.Struct({
  percent: field(Integer(0, 100), "Retries in percent of the requests, over ten seconds.", { default: 20 }),
  minPerSecond: field(Integer(0), "Retries per second that are allowed in any case, over ten seconds.", { default: 10 }),
});
