/** `RequestBodyReplace`, `RequestBodyJson` and their twins for responses. */
import { addBodyTransform, knownCodings, type BodyChange, type OutgoingRequest } from "@proxy/forwarder";
import { listElements, type HeaderList } from "@proxy/http";
import type { TransformSettings } from "../transform-settings.ts";
import type { TransformFactory, TransformPlan } from "../transform.ts";
import { when } from "../when.ts";
import { JsonEdits, parsePointer, type JsonEdit } from "./json-edits.ts";
import { isOfType, jsonTypes, mediaTypes, textTypes, toUtf8, type MediaTypes } from "./media-type.ts";
import { TextReplacement } from "./text-replacement.ts";

/** A request or a response whose body may be changed. */
interface Message {
  readonly headers: HeaderList;
  bodyChange?: BodyChange | undefined;
}

/** Adds to a message what changes its body. */
type Change = (message: Message) => void;

const longestText = 1024;
const defaultMaxJson = 1_048_576;
const defaultMaxText = 67_108_864;

export const requestBodyReplace = ofRequest("RequestBodyReplace", replacement, ["With"]);
export const requestBodyJson = ofRequest("RequestBodyJson", jsonEdit, ["Set", "SetJson", "Remove"]);
export const responseBodyReplace = ofResponse("ResponseBodyReplace", replacement, ["With"]);
export const responseBodyJson = ofResponse("ResponseBodyJson", jsonEdit, ["Set", "SetJson", "Remove"]);

type Build = (settings: TransformSettings) => Change | undefined;

function ofRequest(key: string, change: Build, keys: readonly string[]): TransformFactory {
  return {
    key,
    build(settings, plan) {
      const apply = change(settings);
      if (!settings.only(...keys, "ContentTypes", "MaxSize") || apply === undefined) return;
      plan.request.push((outgoing) => {
        if (outgoing.body !== undefined) apply(outgoing);
      });
    },
  };
}

function ofResponse(key: string, change: Build, keys: readonly string[]): TransformFactory {
  return {
    key,
    build(settings, plan) {
      const apply = change(settings);
      const holds = when(settings, "Always");
      if (!settings.only(...keys, "ContentTypes", "MaxSize", "Encoding", "When") || apply === undefined || holds === undefined) return;
      if (!prepareRequests(settings, plan)) return;
      plan.response.push((response, _ctx, destination) => {
        // A part of a body cannot be changed as the whole would be.
        if (destination !== undefined && destination.status !== 206 && holds(response.status)) apply(response);
      });
    },
  };
}

/** Asks destinations for whole bodies in codings that can be taken off. */
function prepareRequests(settings: TransformSettings, plan: TransformPlan): boolean {
  const encoding = (settings.get("Encoding") ?? "Recompress").toLowerCase();
  if (encoding !== "recompress" && encoding !== "identity") {
    settings.report("bad-body-transform", `Encoding of transform '${settings.form}' is Recompress or Identity, not '${encoding}'`);
    return false;
  }
  plan.preparation.push(encoding === "identity" ? askForIdentity : askForKnown);
  return true;
}

function askForIdentity({ headers }: OutgoingRequest): void {
  askForWhole(headers);
  headers.set("Accept-Encoding", "identity");
}

function askForKnown({ headers }: OutgoingRequest): void {
  askForWhole(headers);
  const lines = headers.getAll("accept-encoding");
  if (lines.length === 0) return;
  const known = lines.flatMap((line) => listElements(line)).filter((element) => {
    const coding = (element.split(";", 1)[0] ?? "").trim().toLowerCase();
    return coding === "identity" || knownCodings.has(coding);
  });
  headers.set("Accept-Encoding", known.length === 0 ? "identity" : known.join(", "));
}

/** Ranges count the bytes of a body that the client never sees. */
function askForWhole(headers: HeaderList): void {
  headers.remove("range");
  headers.remove("if-range");
}

function replacement(settings: TransformSettings): Change | undefined {
  const types = typesOf(settings, textTypes);
  const limit = sizeOf(settings, defaultMaxText);
  const replacing = settings.get("With");
  const find = Buffer.from(settings.value);
  if (replacing === undefined) settings.report("bad-body-transform", `transform '${settings.form}' needs With`);
  const isFit = find.length > 0 && find.length <= longestText && (replacing ?? "").length <= longestText;
  if (!isFit) {
    settings.report("bad-body-transform", `transform '${settings.form}' takes texts of up to ${longestText} bytes, and not an empty one to look for`);
  }
  if (types === undefined || limit === undefined || replacing === undefined || !isFit) return undefined;
  const bytes = Buffer.from(replacing);
  return (message) => {
    if (!isOfType(message.headers, types)) return;
    const transcoding = toUtf8(message.headers);
    if (transcoding === null) return;
    if (transcoding !== undefined) addBodyTransform(message, transcoding, limit);
    addBodyTransform(message, new TextReplacement(find, bytes), limit);
  };
}

function jsonEdit(settings: TransformSettings): Change | undefined {
  const types = typesOf(settings, jsonTypes);
  const limit = sizeOf(settings, defaultMaxJson);
  const edit = editOf(settings);
  if (types === undefined || limit === undefined || edit === undefined) return undefined;
  return (message) => {
    if (!isOfType(message.headers, types)) return;
    const last = message.bodyChange?.transforms.at(-1);
    if (last instanceof JsonEdits) last.add(edit, limit);
    else addBodyTransform(message, new JsonEdits(edit, limit), limit);
  };
}

function editOf(settings: TransformSettings): JsonEdit | undefined {
  const pointer = parsePointer(settings.value);
  if (pointer === undefined) {
    settings.report("bad-body-transform", `transform '${settings.form}' takes a JSON pointer such as /user/name, not '${settings.value}'`);
    return undefined;
  }
  const given = ["Set", "SetJson", "Remove"].filter((key) => settings.get(key) !== undefined);
  const [key] = given;
  const text = settings.get(key ?? "") ?? "";
  const removes = key === "Remove";
  if (given.length !== 1 || (removes && (text.toLowerCase() !== "true" || pointer.length === 0))) {
    settings.report("bad-body-transform", `transform '${settings.form}' needs one of Set, SetJson, and Remove: true for a part of the text`);
    return undefined;
  }
  if (key !== "SetJson") return { pointer, value: removes ? undefined : text };
  try {
    return { pointer, value: JSON.parse(text) };
  } catch {
    settings.report("bad-body-transform", `SetJson of transform '${settings.form}' is no JSON`);
    return undefined;
  }
}

function typesOf(settings: TransformSettings, preset: string): MediaTypes | undefined {
  const types = mediaTypes(settings.get("ContentTypes") ?? preset);
  if (types === undefined) {
    settings.report("bad-body-transform", `ContentTypes of transform '${settings.form}' is no list of media types`, "for instance text/html;application/*");
  }
  return types;
}

function sizeOf(settings: TransformSettings, preset: number): number | undefined {
  const text = settings.get("MaxSize") ?? String(preset);
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  settings.report("bad-body-transform", `MaxSize of transform '${settings.form}' is a number of bytes, not '${text}'`);
  return undefined;
}
