import { describe, expect, test } from "vitest";
import { formatJsonEntry, formatTextEntry } from "../../src/logging/log-format.ts";

const entry = {
  date: new Date("2026-11-22T13:05:09.123Z"),
  level: "warn",
  message: "connection lost\nby \u001b[2Jthe client\u202e",
  fields: { peer: "10.0.0.1", attempt: 2, cluster: undefined },
  cause: "Error: reset\n    at x",
};

describe("the gateway's own log", () => {
  test("text is for people: continued lines are indented, control characters shown", () => {
    expect(formatTextEntry(entry)).toBe(
      "13:05:09.123 warn  connection lost\n    by \\x1b[2Jthe client\\u202e peer=10.0.0.1 attempt=2\n" +
        "Error: reset\n        at x\n",
    );
  });

  test("JSON is one line", () => {
    const line = formatJsonEntry(entry);
    expect(line.trimEnd()).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({
      time: "2026-11-22T13:05:09.123Z",
      level: "warn",
      message: entry.message,
      peer: "10.0.0.1",
      attempt: 2,
      cause: entry.cause,
    });
  });
});
