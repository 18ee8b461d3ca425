import { RE2JS } from "re2js";
import { ConstraintError } from "./constraint.ts";
import type { ConstraintFactory, RouteConstraint } from "./constraint.ts";
import { isDateTime } from "./date-time-text.ts";

// Texts as .NET parses them with the invariant culture: blanks around, digits grouped by commas where it allows that.
const integer = /^[\t-\r ]*[+-]?\d+[\t-\r ]*$/;
const decimalNumber = /^[\t-\r ]*(?:[+-]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)|(?:\d[\d,]*(?:\.\d*)?|\.\d+)[+-])[\t-\r ]*$/;
const floatNumber = /^[\t-\r ]*[+-]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?[\t-\r ]*$/i;
const floatWord = /^[\t-\r ]*(?:[+-]?Infinity|[+-]?NaN|[+-]?∞)[\t-\r ]*$/i;
const truth = /^[\s\0]*(?:true|false)[\s\0]*$/i;
const guid =
  /^\s*(?:[\da-f]{32}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\{[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\}|\([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\)|\{0x[\da-f]{1,8},0x[\da-f]{1,4},0x[\da-f]{1,4},\{(?:0x[\da-f]{1,2},){7}0x[\da-f]{1,2}\}\})\s*$/i;
const letters = /^[a-z]*$/i;

const longest = 2n ** 63n - 1n;
const maximumDecimal = 79228162514264337593543950335n;
// Longer texts are no number that anyone means; it bounds the work on what a client sends.
const maximumNumberLength = 400;

function parseInteger(text: string, limit: bigint): bigint | undefined {
  if (text.length > maximumNumberLength || !integer.test(text)) return undefined;
  const trimmed = text.trim();
  const value = BigInt(trimmed.startsWith("+") ? trimmed.slice(1) : trimmed);
  return value > limit || value < -limit - 1n ? undefined : value;
}

/** Up to nine digits and nothing else: what most numbers in paths are, and safely an `int`. */
function isShortNumber(text: string): boolean {
  if (text.length === 0 || text.length > 9) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function isDecimal(text: string): boolean {
  if (text.length > maximumNumberLength || !decimalNumber.test(text)) return false;
  const whole = text.replace(/\..*/s, "").replace(/[^\d]/g, "");
  return BigInt(whole) <= maximumDecimal;
}

function isFloat(text: string): boolean {
  return text.length <= maximumNumberLength && (floatNumber.test(text) || floatWord.test(text));
}

/** True for a last segment with a dot that something other than dots follows. */
function isFileName(value: string): boolean {
  const name = value.slice(value.lastIndexOf("/") + 1);
  const dot = name.indexOf(".");
  if (dot < 0) return false;
  for (let i = dot + 1; i < name.length; i++) if (name[i] !== ".") return true;
  return false;
}

/** A factory that takes no argument. */
function plain(name: string, constraint: RouteConstraint): [string, ConstraintFactory] {
  return [
    name,
    (argument) => {
      if (argument !== undefined && argument !== "") throw badArguments(name, argument, "takes no argument");
      return constraint;
    },
  ];
}

/** The same for constraints that need a value. */
function onValue(name: string, accepts: (value: string) => boolean): [string, ConstraintFactory] {
  return plain(name, (value) => value !== null && accepts(value));
}

/** A factory that takes whole numbers, as many as `counts` allows. */
function numeric(
  name: string,
  counts: readonly number[],
  make: (...numbers: bigint[]) => (value: string) => boolean,
  limit = longest,
): [string, ConstraintFactory] {
  return [
    name,
    (argument) => {
      const numbers = (argument ?? "").split(",").map((text) => parseInteger(text.trim(), limit));
      if (argument === undefined || !counts.includes(numbers.length) || numbers.includes(undefined)) {
        throw badArguments(name, argument, `takes ${counts.join(" or ")} whole number(s)`);
      }
      const accepts = make(...(numbers as bigint[]));
      return (value) => value !== null && accepts(value);
    },
  ];
}

function lengths(name: string, counts: readonly number[], bounds: (a: bigint, b?: bigint) => [bigint, bigint]) {
  const check = (a: bigint, b?: bigint): ((value: string) => boolean) => {
    const [low, high] = bounds(a, b);
    if (low < 0n || high < low) throw badArguments(name, b === undefined ? String(a) : `${a},${b}`, "needs 0 <= least <= most");
    return (value) => value.length >= low && value.length <= high;
  };
  return numeric(name, counts, check, 2n ** 31n - 1n);
}

function between(name: string, counts: readonly number[], bounds: (a: bigint, b?: bigint) => [bigint, bigint]) {
  const check = (a: bigint, b?: bigint): ((value: string) => boolean) => {
    const [low, high] = bounds(a, b);
    if (high < low) throw badArguments(name, `${a},${b}`, "needs least <= most");
    return (value) => {
      const number = isShortNumber(value) ? Number(value) : parseInteger(value, longest);
      return number !== undefined && number >= low && number <= high;
    };
  };
  return numeric(name, counts, check);
}

function badArguments(name: string, argument: string | undefined, rule: string): ConstraintError {
  return new ConstraintError("constraint-arguments", `constraint ${name}(${argument ?? ""}): ${rule}`);
}

/** Case is ignored, the expression may match anywhere in the value; runs in time linear in the value's length. */
function regex(argument: string | undefined): RouteConstraint {
  if (argument === undefined) throw badArguments("regex", argument, "takes an expression");
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(argument, RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConstraintError(
      "constraint-regex",
      `expression ${JSON.stringify(argument)} is not supported: ${why}`,
      "expressions run in linear time (RE2): no look-around, no back-references; express it by several constraints or routes",
      { cause: error },
    );
  }
  return (value) => value !== null && expression.test(value);
}

/** The constraints of ASP.NET by name, lower case. */
export const builtInConstraints: readonly (readonly [name: string, factory: ConstraintFactory])[] = [
  onValue("int", (value) => isShortNumber(value) || parseInteger(value, 2n ** 31n - 1n) !== undefined),
  onValue("bool", (value) => truth.test(value)),
  onValue("datetime", isDateTime),
  onValue("decimal", isDecimal),
  onValue("double", isFloat),
  onValue("float", isFloat),
  onValue("guid", (value) => value.length <= maximumNumberLength && guid.test(value)),
  onValue("long", (value) => isShortNumber(value) || parseInteger(value, longest) !== undefined),
  lengths("minlength", [1], (least) => [least, longest]),
  lengths("maxlength", [1], (most) => [0n, most]),
  lengths("length", [1, 2], (least, most = least) => [least, most]),
  between("min", [1], (least) => [least, longest]),
  between("max", [1], (most) => [-longest - 1n, most]),
  between("range", [2], (least, most = least) => [least, most]),
  onValue("alpha", (value) => letters.test(value)),
  ["regex", regex],
  onValue("required", (value) => value !== ""),
  onValue("file", isFileName),
  plain("nonfile", (value) => value === null || !isFileName(value)),
];
