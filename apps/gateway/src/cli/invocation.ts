/**
 * The command line, parsed. `node:util`'s parser does the work: Effect's CLI module would add a quarter of a second
 * to every start, and its exit code for a wrong command line is 1 where scripts expect 2.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import { isLogLevel, logLevels } from "../logging/log-level.ts";
import type { LogLevelName } from "../logging/log-level.ts";

export type CommandName = "run" | "check" | "routes" | "schema" | "dev-cert" | "hash-key";

export interface RunInvocation {
  readonly command: "run";
  readonly files: readonly string[];
  /** As given: URLs separated by semicolons. Takes the place of every address of the configuration. */
  readonly urls: string | undefined;
  readonly strict: boolean;
  readonly logLevel: LogLevelName | undefined;
}

export interface CheckInvocation {
  readonly command: "check";
  readonly files: readonly string[];
  readonly strict: boolean;
  readonly json: boolean;
}

export interface RoutesInvocation {
  readonly command: "routes";
  readonly files: readonly string[];
  readonly strict: boolean;
  readonly json: boolean;
  /** `METHOD URL`, or a URL alone for GET. */
  readonly request: string | undefined;
  /** `Name: value` each. */
  readonly headers: readonly string[];
}

export interface DevCertInvocation {
  readonly command: "dev-cert";
  /** Files to write. */
  readonly certificate: string;
  readonly key: string;
  /** Host names and addresses beside those of loopback. */
  readonly hosts: readonly string[];
  readonly days: number;
  /** Files that exist are replaced. */
  readonly force: boolean;
}

export interface HashKeyInvocation {
  readonly command: "hash-key";
  /** The key comes from standard input; otherwise a new one is made. */
  readonly stdin: boolean;
}

export type Invocation =
  | RunInvocation
  | CheckInvocation
  | RoutesInvocation
  | DevCertInvocation
  | HashKeyInvocation
  | { readonly command: "schema" }
  | { readonly command: "help"; readonly topic: CommandName | undefined }
  | { readonly command: "version" };

/** The command line cannot be understood; `topic` says whose usage to show. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly topic: CommandName | undefined;

  constructor(message: string, topic: CommandName | undefined) {
    super(message);
    this.topic = topic;
  }
}

const everywhere = { help: { type: "boolean", short: "h" } } as const satisfies ParseArgsOptionsConfig;
const strict = { strict: { type: "boolean" } } as const satisfies ParseArgsOptionsConfig;
const json = { json: { type: "boolean" } } as const satisfies ParseArgsOptionsConfig;
/** Files: everywhere as `--config FILE`, and as `FILE` alone. */
const config = { config: { type: "string", short: "c", multiple: true } } as const satisfies ParseArgsOptionsConfig;
const runOptions = {
  ...everywhere,
  ...strict,
  ...config,
  version: { type: "boolean", short: "V" },
  urls: { type: "string" },
  "log-level": { type: "string" },
} as const satisfies ParseArgsOptionsConfig;
const checkOptions = { ...everywhere, ...strict, ...json, ...config } as const satisfies ParseArgsOptionsConfig;
const routesOptions = {
  ...everywhere,
  ...strict,
  ...json,
  ...config,
  request: { type: "string", short: "r" },
  header: { type: "string", short: "H", multiple: true },
} as const satisfies ParseArgsOptionsConfig;

const devCertOptions = {
  ...everywhere,
  cert: { type: "string" },
  key: { type: "string" },
  host: { type: "string", multiple: true },
  days: { type: "string" },
  force: { type: "boolean", short: "f" },
} as const satisfies ParseArgsOptionsConfig;

/** What `args` (without node and script) ask for. Throws `UsageError`. */
export function parseInvocation(args: readonly string[]): Invocation {
  const [first] = args;
  if (first === undefined || first.startsWith("-")) return parseRun(args);
  const rest = args.slice(1);
  switch (first) {
    case "run":
      return parseRun(rest);
    case "check":
      return parseCheck(rest);
    case "routes":
      return parseRoutes(rest);
    case "schema":
      return parseSchema(rest);
    case "dev-cert":
      return parseDevCert(rest);
    case "hash-key":
      return parseHashKey(rest);
    case "help":
      return { command: "help", topic: helpTopic(rest[0]) };
    case "version":
      return { command: "version" };
    default:
      throw new UsageError(noCommand(first), undefined);
  }
}

/** A file in the place of a command is the likeliest mistake. */
function noCommand(text: string): string {
  const hint = /\.(json|jsonc|ya?ml|[cm]?[jt]s)$/i.test(text) ? `; to serve a file: gateway run --config ${text}` : "";
  return `there is no command '${text}'${hint}`;
}

function parseRun(args: readonly string[]): Invocation {
  const { values, tokens } = parse("run", () =>
    parseArgs({ args: [...args], options: runOptions, allowPositionals: true, tokens: true }),
  );
  if (values.help === true) return { command: "help", topic: args.length === 1 ? undefined : "run" };
  if (values.version === true) return { command: "version" };
  return {
    command: "run",
    files: atLeastOneFile(tokens, "run"),
    urls: values.urls,
    strict: values.strict === true,
    logLevel: parseLogLevel(values["log-level"]),
  };
}

function parseCheck(args: readonly string[]): Invocation {
  const { values, tokens } = parse("check", () =>
    parseArgs({ args: [...args], options: checkOptions, allowPositionals: true, tokens: true }),
  );
  if (values.help === true) return { command: "help", topic: "check" };
  return {
    command: "check",
    files: atLeastOneFile(tokens, "check"),
    strict: values.strict === true,
    json: values.json === true,
  };
}

function parseRoutes(args: readonly string[]): Invocation {
  const { values, tokens } = parse("routes", () =>
    parseArgs({ args: [...args], options: routesOptions, allowPositionals: true, tokens: true }),
  );
  if (values.help === true) return { command: "help", topic: "routes" };
  const headers = values.header ?? [];
  if (headers.length > 0 && values.request === undefined) {
    throw new UsageError("--header belongs to a --request", "routes");
  }
  return {
    command: "routes",
    files: atLeastOneFile(tokens, "routes"),
    strict: values.strict === true,
    json: values.json === true,
    request: values.request,
    headers,
  };
}

function parseSchema(args: readonly string[]): Invocation {
  const { values, positionals } = parse("schema", () =>
    parseArgs({ args: [...args], options: everywhere, allowPositionals: true }),
  );
  if (values.help === true) return { command: "help", topic: "schema" };
  const [stray] = positionals;
  if (stray !== undefined) throw new UsageError(`unexpected argument '${stray}'`, "schema");
  return { command: "schema" };
}

function parseDevCert(args: readonly string[]): Invocation {
  const { values, positionals } = parse("dev-cert", () =>
    parseArgs({ args: [...args], options: devCertOptions, allowPositionals: true }),
  );
  if (values.help === true) return { command: "help", topic: "dev-cert" };
  const [stray] = positionals;
  if (stray !== undefined) throw new UsageError(`unexpected argument '${stray}'`, "dev-cert");
  const { cert: certificate = "dev-cert.pem", key = "dev-cert.key", host: hosts = [], days = "365" } = values;
  if (certificate === "" || key === "" || resolve(certificate) === resolve(key)) {
    throw new UsageError("--cert and --key have to be two files", "dev-cert");
  }
  if (!/^[1-9]\d{0,2}$/.test(days) || Number(days) > longestValidity) {
    throw new UsageError(`--days '${days}' is no number from 1 to ${longestValidity}`, "dev-cert");
  }
  return { command: "dev-cert", certificate, key, hosts, days: Number(days), force: values.force === true };
}

function parseHashKey(args: readonly string[]): Invocation {
  const { values, positionals } = parse("hash-key", () =>
    parseArgs({ args: [...args], options: { ...everywhere, stdin: { type: "boolean" } }, allowPositionals: true }),
  );
  if (values.help === true) return { command: "help", topic: "hash-key" };
  // What stands on a command line, every process of the machine can read.
  if (positionals.length > 0) throw new UsageError("a key is read from standard input, with --stdin", "hash-key");
  return { command: "hash-key", stdin: values.stdin === true };
}

/** Some clients refuse what is valid for longer (Apple, 825 days for private authorities). */
const longestValidity = 825;

function parse<T>(topic: CommandName, run: () => T): T {
  try {
    return run();
  } catch (error) {
    // The parser's errors say what is wrong in their first sentence; the rest is advice on its own API.
    const text = error instanceof Error ? error.message : String(error);
    throw new UsageError(text.split(/\.\s|\n/, 1)[0]!.replace(/\.$/, ""), topic);
  }
}

/** What `parseArgs` found, in the order of the command line, which is that in which files are laid over one another. */
interface Token {
  readonly kind: "option" | "positional" | "option-terminator";
  readonly name?: string | undefined;
  readonly value?: string | undefined;
}

function atLeastOneFile(tokens: readonly Token[], topic: CommandName): readonly string[] {
  const files = tokens.flatMap(({ kind, name, value }) => (kind === "positional" || name === "config" ? (value ?? []) : []));
  if (files.length === 0) throw new UsageError("no configuration: give at least one --config FILE", topic);
  return files;
}

function parseLogLevel(text: string | undefined): LogLevelName | undefined {
  if (text === undefined) return undefined;
  const name = logLevels.find((level) => level.toLowerCase() === text.toLowerCase());
  if (name !== undefined && isLogLevel(name)) return name;
  throw new UsageError(`--log-level '${text}' is none of ${logLevels.join(", ")}`, "run");
}

function helpTopic(text: string | undefined): CommandName | undefined {
  if (text === undefined) return undefined;
  if (text === "run" || text === "check" || text === "routes" || text === "schema" || text === "dev-cert" || text === "hash-key") return text;
  throw new UsageError(noCommand(text), undefined);
}
