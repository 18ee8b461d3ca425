/**
 * Scalars as .NET's configuration reads them: every value is text first. Each schema decodes a text and carries, as the annotation
 * `scalar`, what tools need to know of it: its name in the reference and its form in the JSON Schema.
 */
import * as Effect from "effect/Effect";
import * as Schema from "effect/Schema";
import * as SchemaIssue from "effect/SchemaIssue";
import * as SchemaTransformation from "effect/SchemaTransformation";
import type { SslProtocol } from "../cluster-config.ts";
import { shorten } from "../config-issue.ts";
import { durationForms, longestTimer, parseDuration } from "../duration.ts";
import { withoutCredentials } from "../validation/destination-address.ts";

export interface ScalarInfo {
  /** Shown in the reference: `duration`. */
  readonly label: string;
  /** Completes "must be …": `a duration`. */
  readonly expected: string;
  readonly hint?: string | undefined;
  /** Keywords of the JSON Schema. */
  readonly json: Readonly<Record<string, unknown>>;
  /** An empty text counts as absent. */
  readonly emptyIsUnset?: boolean | undefined;
  /** A number in a module is milliseconds. */
  readonly isDuration?: boolean | undefined;
  /** In a list: several in one text are separated by commas, as .NET writes flags. */
  readonly isFlag?: boolean | undefined;
}

type TextCodec<T> = Schema.Codec<T, string>;

function scalar<T>(target: Schema.Codec<T, T>, info: ScalarInfo, parse: (text: string) => T | undefined): TextCodec<T> {
  return Schema.String.pipe(
    Schema.decodeTo(
      target,
      SchemaTransformation.transformEffect<T, string>({
        decode: (text) => {
          const value = parse(text);
          if (value !== undefined) return Effect.succeed(value);
          const shown = shorten(withoutCredentials(text));
          return Effect.fail(new SchemaIssue.InvalidValue({ message: `must be ${info.expected}, not '${shown}'` }, text));
        },
        encode: (value) => Effect.succeed(String(value)),
      }),
    ),
  ).annotate({ scalar: info });
}

/** Any text; numbers and booleans become text. */
export const Text: TextCodec<string> = Schema.String.annotate({
  scalar: { label: "text", expected: "text", json: { type: "string" } } satisfies ScalarInfo,
});

export const Bool: TextCodec<boolean> = scalar(
  Schema.Boolean,
  { label: "boolean", expected: "true or false", json: { type: "boolean" } },
  (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined),
);

const int32 = 2_147_483_647;

/** A whole number; a leading sign is allowed, blanks are not. */
export function Integer(minimum = -int32 - 1, maximum = int32): TextCodec<number> {
  const isBounded = maximum < int32;
  const range = minimum <= -int32 - 1 && !isBounded ? "" : isBounded ? ` from ${minimum} to ${maximum}` : ` of at least ${minimum}`;
  return scalar(
    Schema.Number,
    { label: "integer", expected: `a whole number${range}`, json: { type: "integer", ...(range === "" ? {} : { minimum }), ...(isBounded ? { maximum } : {}) } },
    (text) => {
      if (!/^[+-]?\d{1,16}$/.test(text)) return undefined;
      const value = Number(text);
      return Number.isSafeInteger(value) && value >= minimum && value <= maximum ? value + 0 : undefined;
    },
  );
}

/** Milliseconds. */
export const Duration: TextCodec<number> = scalar(
  Schema.Number,
  {
    label: "duration",
    expected: "a duration",
    hint: durationForms,
    isDuration: true,
    json: {
      type: "string",
      pattern: String.raw`^(-?(\d{1,8}\.)?\d{1,2}:\d{1,2}:\d{1,2}(\.\d{1,7})?|-?\d+(\.\d+)?(ms|s|m|h|d))$`,
      examples: ["00:00:15", "15s"],
    },
  },
  parseDuration,
);

/** A duration above 0 that a timer can wait for, where no later rule checks. */
export const PositiveDuration: TextCodec<number> = scalar(
  Schema.Number,
  { ...(Duration.ast.annotations?.["scalar"] as ScalarInfo), expected: "a duration above 0 and up to 24.20:31:23" },
  (text) => {
    const value = parseDuration(text);
    return value !== undefined && value > 0 && value <= longestTimer ? value : undefined;
  },
);

/** An HTTP version: "2" and "2.0" are the same. Which ones are supported is checked later. */
export const HttpVersion: TextCodec<string> = scalar(
  Schema.String,
  { label: "version", expected: "an HTTP version such as 1.1 or 2", emptyIsUnset: true, json: { enum: ["1.0", "1.1", "2", "3"] } },
  (text) => {
    if (!/^\d{1,5}(?:\.\d{1,5})?$/.test(text)) return undefined;
    const [major = 0, minor = 0] = text.split(".").map(Number);
    return minor === 0 && major > 1 ? String(major) : `${major}.${minor}`;
  },
);

/** An absolute URL in its normal form. */
export const AbsoluteUrl: TextCodec<string> = scalar(
  Schema.String,
  { label: "URL", expected: "an absolute URL", json: { type: "string", format: "uri" } },
  (text) => (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) && URL.canParse(text) ? new URL(text).href : undefined),
);

/**
 * One of `names`, ignoring case, or its number in .NET (`numbers`, by default the position).
 */
export function OneOf<const Names extends readonly string[]>(
  names: Names,
  numbers: readonly number[] = names.map((_, index) => index),
): TextCodec<Names[number]> {
  return scalar<Names[number]>(
    Schema.Literals(names) as unknown as Schema.Codec<Names[number], Names[number]>,
    { label: names.join(", "), expected: `one of ${names.join(", ")}`, json: { enum: names } },
    (text) => {
      const lower = text.trim().toLowerCase();
      const byName = names.find((name) => name.toLowerCase() === lower);
      if (byName !== undefined) return byName;
      return /^[+-]?\d{1,9}$/.test(lower) ? names[numbers.indexOf(Number(lower))] : undefined;
    },
  );
}

/** TLS versions, with .NET's names and numbers. */
export const SslProtocolName: TextCodec<"None" | SslProtocol> = (() => {
  const names = ["None", "Ssl2", "Ssl3", "Tls", "Tls11", "Tls12", "Tls13"] as const;
  const codec = OneOf(names, [0, 12, 48, 192, 768, 3072, 12_288]);
  return codec.annotate({ scalar: { ...(codec.ast.annotations?.["scalar"] as ScalarInfo), isFlag: true } satisfies ScalarInfo });
})();
