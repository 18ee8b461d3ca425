import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as constants from "../src/abi/constants.ts";
import { functions } from "../src/abi/functions.ts";
import { structs } from "../src/abi/structs.ts";

interface Table {
  structs: Record<string, { size: number; align: number; fields: { name: string; abi: string; offset: number; size: number }[] }>;
  enums: Record<string, Record<string, number | { id: number; wire: string }>>;
  constants: Record<string, number>;
  errors: Record<string, number>;
  functions: Record<string, { returns: string; parameters: { abi: string }[] }>;
}

const table = JSON.parse(
  readFileSync(new URL("../../../tooling/httpsys-double/httpsys-abi.json", import.meta.url), "utf8"),
) as Table;

const enumExports: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  HTTP_VERB: constants.verb,
  HTTP_HEADER_ID_limits: constants.headerIdLimits,
  HTTP_DATA_CHUNK_TYPE: constants.dataChunkType,
  HTTP_SERVER_PROPERTY: constants.serverProperty,
  HTTP_FEATURE_ID: constants.featureId,
  HTTP_DELEGATE_REQUEST_PROPERTY_ID: constants.delegateRequestPropertyId,
  HTTP_CREATE_REQUEST_QUEUE_PROPERTY_ID: constants.createRequestQueuePropertyId,
  HTTP_REQUEST_INFO_TYPE: constants.requestInfoType,
  HTTP_RESPONSE_INFO_TYPE: constants.responseInfoType,
  HTTP_REQUEST_PROPERTY: constants.requestProperty,
  HTTP_REQUEST_TIMING_TYPE: constants.requestTimingType,
  HTTP_ENABLED_STATE: constants.enabledState,
  HTTP_503_RESPONSE_VERBOSITY: constants.verbosity503,
  HTTP_QOS_SETTING_TYPE: constants.qosSettingType,
  HTTP_CACHE_POLICY_TYPE: constants.cachePolicyType,
  HTTP_AUTH_STATUS: constants.authStatus,
  HTTP_REQUEST_AUTH_TYPE: constants.requestAuthType,
};

describe("the ABI", () => {
  test("has the structures of the table: zero differences", () => {
    const ours = Object.entries(structs).map(([name, { size, fields }]) => ({ name, size, fields: Object.entries(fields) }));
    const theirs = Object.entries(table.structs).map(([name, { size, fields }]) => ({
      name,
      size,
      fields: fields.map((field) => [field.name, [field.offset, field.abi]]),
    }));
    expect(ours).toEqual(theirs);
    expect(ours).toHaveLength(48);
  });

  test("has the functions of the table: zero differences", () => {
    const theirs = Object.entries(table.functions).map(([name, { parameters }]) => [
      name,
      parameters.map(({ abi }) => (abi.split(" ")[0] as string).replace(",", "")),
    ]);
    expect(Object.entries(functions)).toEqual(theirs);
    const others = Object.entries(table.functions).filter(([, { returns }]) => returns !== "ULONG");
    expect(others.map(([name, { returns }]) => [name, returns])).toEqual([["HttpIsFeatureSupported", "BOOL (i32)"]]);
  });

  test("has the constants and error codes of the table: zero differences", () => {
    expect(constants.flag).toEqual(table.constants);
    expect(constants.errorCode).toEqual(table.errors);
  });

  test("has the enumerations of the table: zero differences", () => {
    for (const [name, members] of Object.entries(table.enums)) {
      if (name === "HTTP_HEADER_ID_request" || name === "HTTP_HEADER_ID_response") continue;
      expect(enumExports[name], name).toEqual(members);
    }
    const wires = (name: string) =>
      Object.values(table.enums[name] ?? {}).map((member) => (typeof member === "number" ? [] : [member.id, member.wire]));
    expect(constants.requestHeaderIds.map((wire, id) => [id, wire])).toEqual(wires("HTTP_HEADER_ID_request"));
    expect(constants.responseHeaderIds.map((wire, id) => [id, wire])).toEqual(wires("HTTP_HEADER_ID_response"));
  });

  test("has no member across the end of its structure, and arrays and nested structures fit their place", () => {
    for (const [name, { size, fields }] of Object.entries(table.structs)) {
      for (const field of fields) {
        expect(field.offset + field.size, `${name}.${field.name}`).toBeLessThanOrEqual(size);
        const match = /^struct:(\w+?)(?:\[(\d+)\])?$/.exec(field.abi);
        if (match === null) continue;
        const inner = table.structs[match[1] as string];
        expect(inner?.size, `${name}.${field.name}`).toBe(field.size / Number(match[2] ?? 1));
      }
    }
  });
});
