import { describe, expect, test } from "vitest";
import { parseInvocation, UsageError } from "../../src/cli/invocation.ts";

const run = { command: "run", files: ["a.json"], urls: undefined, strict: false, logLevel: undefined };

describe("the command line", () => {
  test("run is the default command", () => {
    expect(parseInvocation(["--config", "a.json"])).toEqual(run);
    expect(parseInvocation(["run", "-c", "a.json"])).toEqual(run);
  });

  test("--config may be repeated and keeps its order", () => {
    expect(parseInvocation(["--config", "b", "--config=a"])).toMatchObject({ files: ["b", "a"] });
  });

  test("files are given with --config and without, to every command that reads them, in their order", () => {
    for (const command of ["run", "check", "routes"]) {
      expect(parseInvocation([command, "a", "-c", "b", "--strict", "c", "--config=d"])).toMatchObject({ command, files: ["a", "b", "c", "d"], strict: true });
    }
  });

  test("the log level is known in any case and by .NET's names", () => {
    expect(parseInvocation(["-c", "a", "--log-level", "warning"])).toMatchObject({ logLevel: "Warning" });
  });

  test("check and routes take files, and their own options", () => {
    expect(parseInvocation(["check", "a", "--json", "b"])).toEqual({
      command: "check",
      files: ["a", "b"],
      strict: false,
      json: true,
    });
    expect(parseInvocation(["routes", "a", "--request", "GET /", "-H", "A: 1", "--header", "B: 2"])).toEqual({
      command: "routes",
      files: ["a"],
      strict: false,
      json: false,
      request: "GET /",
      headers: ["A: 1", "B: 2"],
    });
  });

  test("help and version are found with and without a command", () => {
    expect(parseInvocation(["--help"])).toEqual({ command: "help", topic: undefined });
    expect(parseInvocation(["check", "-h"])).toEqual({ command: "help", topic: "check" });
    expect(parseInvocation(["help", "routes"])).toEqual({ command: "help", topic: "routes" });
    expect(parseInvocation(["--version"])).toEqual({ command: "version" });
    expect(parseInvocation(["schema"])).toEqual({ command: "schema" });
  });

  test.each([
    [[], "no configuration"],
    [["run"], "no configuration"],
    [["serve"], "there is no command 'serve'"],
    [["--config"], "--config"],
    [["--config", "a", "--colour"], "'--colour'"],
    [["gateway.yaml"], "there is no command 'gateway.yaml'; to serve a file: gateway run --config gateway.yaml"],
    [["--config", "a", "--log-level", "loud"], "'loud' is none of Trace"],
    [["--config", "a", "--strict=yes"], "strict"],
    [["check"], "no configuration: give at least one --config FILE"],
    [["routes", "a", "--header", "A: 1"], "--header belongs to a --request"],
    [["schema", "a"], "unexpected argument 'a'"],
    [["help", "me"], "there is no command 'me'"],
  ])("%j is refused, saying why", (args, message) => {
    expect(() => parseInvocation(args)).toThrow(UsageError);
    expect(() => parseInvocation(args)).toThrow(message);
  });
});
