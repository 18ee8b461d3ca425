/**
 * Route templates of ASP.NET: `/a/{p}/{q:int=5}/{file}.{ext?}/{**rest}`. Parsing follows its rules for what is
 * valid, and gives each rule that is broken a name.
 */
import { parseParameter } from "./template-parameter.ts";

export interface RouteTemplate {
  /** As it was written. */
  readonly text: string;
  readonly segments: readonly TemplateSegment[];
  readonly parameters: readonly TemplateParameter[];
  /**
   * One digit per segment, lower is more specific: 1 literal, 2 constrained parameter or several parts,
   * 3 parameter, 4 constrained catch-all, 5 catch-all. Templates compare by it as by text.
   */
  readonly precedence: string;
}

/** What stands between two slashes of a template. */
export interface TemplateSegment {
  readonly parts: readonly TemplatePart[];
}

/** What a segment is made of. */
export type TemplatePart = TemplateLiteral | TemplateParameter;

export interface TemplateLiteral {
  readonly kind: "literal";
  /** Decoded: `{{` is `{`. */
  readonly text: string;
  /** A period that is left out together with the optional parameter behind it. */
  readonly optionalSeparator: boolean;
}

/** `{name}`, with what may stand behind the name. */
export interface TemplateParameter {
  readonly kind: "parameter";
  readonly name: string;
  readonly catchAll: boolean;
  /** When a path is written: `/` in the value is percent-encoded. False for `{**name}`. */
  readonly encodeSlashes: boolean;
  readonly optional: boolean;
  readonly default: string | undefined;
  /** The text of each constraint, such as `length(3,5)`. */
  readonly constraints: readonly string[];
}

/** What is wrong with a template. */
export type TemplateErrorReason =
  | "unbalanced-braces"
  | "unescaped-brace-in-name"
  | "catch-all-in-multi-part-segment"
  | "catch-all-not-last"
  | "parameter-name"
  | "duplicate-parameter"
  | "consecutive-separators"
  | "consecutive-parameters"
  | "tilde-without-slash"
  | "question-mark-in-literal"
  | "optional-catch-all"
  | "optional-with-default"
  | "optional-not-last"
  | "optional-without-period"
  | "too-many-segments"
  | "too-long";

/** A template that cannot be parsed; `reason` names the rule that it breaks. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  readonly reason: TemplateErrorReason;
  readonly template: string;

  constructor(template: string, reason: TemplateErrorReason) {
    super(`${reasons[reason]} in the path template ${JSON.stringify(template.slice(0, 200))}`);
    this.reason = reason;
    this.template = template;
  }
}

const reasons: Readonly<Record<TemplateErrorReason, string>> = {
  "unbalanced-braces": "a brace without its partner (a brace that is meant as such is doubled)",
  "unescaped-brace-in-name": "a brace inside a parameter that is not doubled",
  "catch-all-in-multi-part-segment": "a catch-all that shares its segment",
  "catch-all-not-last": "a catch-all that is not last",
  "parameter-name": "a parameter name that is empty or has one of / { } ? *",
  "duplicate-parameter": "a parameter name that occurs twice",
  "consecutive-separators": "an empty segment",
  "consecutive-parameters": "two parameters without text between them",
  "tilde-without-slash": "a ~ that is not followed by /",
  "question-mark-in-literal": "a ? outside a parameter",
  "optional-catch-all": "an optional catch-all (a catch-all matches nothing as well)",
  "optional-with-default": "an optional parameter with a default value",
  "optional-not-last": "an optional parameter that is not last in its segment",
  "optional-without-period": "an optional parameter that is preceded by something else than a period",
  "too-many-segments": "more than 28 segments",
  "too-long": "more than 8192 characters",
};

const maximumSegments = 28;
const maximumLength = 8192;

/** Parses `template`; `/`, `~/` or nothing in front mean the same. Throws a `TemplateError` and nothing else. */
export function parseTemplate(template: string): RouteTemplate {
  if (template.length > maximumLength) throw new TemplateError(template, "too-long");
  return new TemplateParser(template).parse();
}

class TemplateParser {
  readonly #template: string;
  readonly #text: string;
  readonly #names = new Set<string>();
  #index = 0;

  constructor(template: string) {
    this.#template = template;
    this.#text = this.#withoutPrefix();
  }

  parse(): RouteTemplate {
    const segments: TemplateSegment[] = [];
    while (this.#index < this.#text.length) {
      if (this.#text[this.#index] === "/") this.#fail("consecutive-separators");
      segments.push({ parts: this.#segment() });
      // Behind a segment stands its separator or the end.
      this.#index++;
    }
    segments.forEach(({ parts }, index) => {
      const catchAll = parts.some((part) => part.kind === "parameter" && part.catchAll);
      if (catchAll && index !== segments.length - 1) this.#fail("catch-all-not-last");
    });
    if (segments.length > maximumSegments) this.#fail("too-many-segments");
    return {
      text: this.#template,
      segments,
      parameters: segments.flatMap(({ parts }) => parts.filter((part) => part.kind === "parameter")),
      precedence: segments.map(precedenceDigit).join(""),
    };
  }

  #withoutPrefix(): string {
    const template = this.#template;
    if (template.startsWith("~/")) return template.slice(2);
    if (template.startsWith("/")) return template.slice(1);
    if (template.startsWith("~")) this.#fail("tilde-without-slash");
    return template;
  }

  #segment(): TemplatePart[] {
    const parts: TemplatePart[] = [];
    while (this.#index < this.#text.length && this.#text[this.#index] !== "/") {
      const parameter = this.#text[this.#index] === "{" && this.#text[this.#index + 1] !== "{";
      parts.push(parameter ? this.#parameter() : this.#literal());
    }
    return this.#validSegment(parts);
  }

  #parameter(): TemplateParameter {
    const begin = this.#index + 1;
    const end = this.#endOfParameter(begin);
    const decoded = unescapeBraces(this.#text.slice(begin, end));
    this.#index = end + 1;
    const parameter = parseParameter(decoded);
    if (decoded.startsWith("*") && decoded.endsWith("?")) this.#fail("optional-catch-all");
    if (parameter.optional && parameter.default !== undefined) this.#fail("optional-with-default");
    if (parameter.name === "" || /[/{}?*]/.test(parameter.name)) this.#fail("parameter-name");
    const key = parameter.name.toLowerCase();
    if (this.#names.has(key)) this.#fail("duplicate-parameter");
    this.#names.add(key);
    return parameter;
  }

  /** Where the closing brace of the parameter is that begins at `begin`. */
  #endOfParameter(begin: number): number {
    const text = this.#text;
    for (let i = begin; i < text.length; i++) {
      if (text[i] === "{") {
        if (i + 1 >= text.length) this.#fail("unbalanced-braces");
        if (text[i + 1] !== "{") this.#fail("unescaped-brace-in-name");
        i++;
      } else if (text[i] === "}") {
        if (text[i + 1] !== "}") return i;
        i++;
      }
    }
    return this.#fail("unbalanced-braces");
  }

  #literal(): TemplateLiteral {
    const text = this.#text;
    const begin = this.#index;
    let i = begin;
    while (i < text.length && text[i] !== "/") {
      if (text[i] === "{") {
        if (i + 1 >= text.length) this.#fail("unbalanced-braces");
        if (text[i + 1] !== "{") break;
        i++;
      } else if (text[i] === "}") {
        if (text[i + 1] !== "}") this.#fail("unbalanced-braces");
        i++;
      }
      i++;
    }
    this.#index = i;
    const literal = unescapeBraces(text.slice(begin, i));
    if (literal.includes("?")) this.#fail("question-mark-in-literal");
    return { kind: "literal", text: literal, optionalSeparator: false };
  }

  #validSegment(parts: TemplatePart[]): TemplatePart[] {
    if (parts.length > 1 && parts.some((part) => part.kind === "parameter" && part.catchAll)) {
      this.#fail("catch-all-in-multi-part-segment");
    }
    for (const [i, part] of parts.entries()) {
      if (part.kind !== "parameter" || !part.optional || parts.length === 1) continue;
      if (i !== parts.length - 1) this.#fail("optional-not-last");
      const before = parts[i - 1];
      if (before?.kind !== "literal" || before.text !== ".") this.#fail("optional-without-period");
      parts[i - 1] = { kind: "literal", text: ".", optionalSeparator: true };
    }
    for (const [i, part] of parts.entries()) {
      if (part.kind === "parameter" && parts[i - 1]?.kind === "parameter") this.#fail("consecutive-parameters");
    }
    return parts;
  }

  #fail(reason: TemplateErrorReason): never {
    throw new TemplateError(this.#template, reason);
  }
}

function unescapeBraces(text: string): string {
  return text.replaceAll("}}", "}").replaceAll("{{", "{");
}

function precedenceDigit({ parts }: TemplateSegment): string {
  const [part] = parts;
  if (part === undefined || parts.length > 1) return "2";
  if (part.kind === "literal") return "1";
  const digit = part.catchAll ? 5 : 3;
  return String(part.constraints.length > 0 ? digit - 1 : digit);
}
