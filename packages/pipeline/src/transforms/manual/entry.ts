import type { TransformConfig } from "../transforms.ts";

/** What the manual says of one form of `Transforms`. Its example is run by a test, through a proxy and real sockets. */
export interface ManualEntry {
  /** The key of the form. */
  readonly key: string;
  /** What it does: whole sentences. */
  readonly summary: string;
  /** What stands behind the form's own key, and how code says it. */
  readonly value: {
    readonly meaning: string;
    readonly kind?: "text" | "boolean" | "list" | "comma list" | "number" | undefined;
    /** All that it may be, where that is few. */
    readonly values?: readonly string[] | undefined;
  };
  readonly settings?: readonly ManualSetting[] | undefined;
  /** False for forms that hold for a whole route, or must hold for every request. Default true. */
  readonly takesIf?: boolean | undefined;
  readonly example: ManualExample;
}

export interface ManualSetting {
  readonly name: string;
  readonly meaning: string;
  /** As text of configuration; undefined when it has to be given or nothing happens without it. */
  readonly preset?: string | undefined;
  /** All that it may be, where that is few. */
  readonly values?: readonly string[] | undefined;
}

/** Of a setting that is true or false. */
export const yesOrNo: readonly string[] = ["true", "false"];

export interface ManualExample {
  /** Default `/{**path}`. */
  readonly route?: string | undefined;
  /** What the example needs beside the form itself, before it. */
  readonly beside?: readonly TransformConfig[] | undefined;
  readonly transform: TransformConfig;
  /** Which message the lines are of. */
  readonly of: "request" | "response" | "trailers" | "answer";
  /** Request line or status line first where it matters, then fields; of an answer, the lines of the request. */
  readonly before: readonly string[];
  /** The same lines afterwards; of an answer, its own. Those of `before` that are missing here are gone. */
  readonly after: readonly string[];
  /** The body of the message, where it is what changes: JSON, or HTML. */
  readonly body?: { readonly before: string; readonly after: string } | undefined;
}

/** The value of `Set` or `Append`. */
export const setOrAppend: readonly ManualSetting[] = [
  { name: "Set", meaning: "Replaces what is there. Wins over `Append`." },
  { name: "Append", meaning: "Adds one more." },
];

/** The same for forms that look at `Append` first. */
export const appendOrSet: readonly ManualSetting[] = [
  { name: "Append", meaning: "Adds one more. Wins over `Set`." },
  { name: "Set", meaning: "Replaces what is there." },
];

export const whenSetting: ManualSetting = {
  name: "When",
  meaning: "`Success`: status below 400; `Failure`: 400 and above, and answers of the gateway where no destination answered; `Always`.",
  preset: "Success",
  values: ["Always", "Success", "Failure"],
};
