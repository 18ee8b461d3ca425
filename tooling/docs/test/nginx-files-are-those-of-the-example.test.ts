import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeGatewayFile } from "@proxy/config/schema";
import { createEdgePolicies } from "@proxy/edge";
import { createProxyValidator } from "@proxy/pipeline";
import { blocksOf } from "../markdown.ts";

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const page = read("docs/migrating-from-nginx.md");
const blocks = blocksOf(page);

test.each([["nginx", "nginx.conf"], ["json", "gateway.json"]])("the block of %s is %s of the example", (language, file) => {
  expect(blocks.find((block) => block.language === language)?.text).toBe(read(`examples/from-nginx/${file}`));
});

/** Cells hold members of routes, clusters, policies and transforms: what they are part of follows from their names. */
const cells = [...page.matchAll(/^\|[^|]*\|(.*)\|$/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]*)`/g)].map(([, code = ""]) => code));

test.each(cells.filter((code) => /^\{ "[A-Z]/.test(code) && !code.includes("Algorithm") && !code.includes('"Status"')))("the transform %s is one", async (code) => {
  const { warnings } = await decode({ Routes: { r: { ...route, Transforms: [JSON.parse(code)] } } });
  expect(warnings).toEqual([]);
});

test.each(cells.filter((code) => code.includes('"Algorithm"')))("the limiter %s is one", async (code) => {
  const { warnings } = await decode({ Routes: { r: { ...route, RateLimiterPolicy: "a" } } }, { RateLimiter: { a: JSON.parse(code) } });
  expect(warnings).toEqual([]);
});

const ofRoutes = /^(?:Respond|Redirect|Order|Path):/;
const members = cells.filter((code) => /^[A-Z][A-Za-z]+: [{"0-9tf-]/.test(code));

test("members with values are found", () => expect(members.length).toBeGreaterThan(15));

test.each(members.filter((code) => ofRoutes.test(code)))("the member %s of a route is understood", async (code) => {
  const member = parsed(code);
  const given = "Path" in member ? { ...route, Match: member } : "Order" in member ? { ...route, ...member } : { Match: { Path: "/old/{**rest}" }, ...member };
  expect((await decode({ Routes: { r: given } })).warnings).toEqual([]);
});

const ofClusters = /^(?:ConsistentHash|SessionAffinity|OutlierDetection|HealthCheck|DestinationResolver|SlowStart|LoadBalancingPolicy):/;
test.each(members.filter((code) => ofClusters.test(code)))("the member %s of a cluster is understood", async (code) => {
  const { warnings } = await decode({ Routes: { r: route }, Clusters: { c: { Destinations: destinations, ...parsed(code) } } });
  expect(warnings).toEqual([]);
});

const destinations = { d: { Address: "http://127.0.0.1:1" } };
const route = { ClusterId: "c", Match: { Path: "/a/{**rest}" } };

function decode(proxy: object, policies: object = {}) {
  const file = { ReverseProxy: { Clusters: { c: { Destinations: destinations } }, ...proxy }, Policies: policies };
  const validators = [createProxyValidator({ extensions: [createEdgePolicies()] })];
  return decodeGatewayFile(JSON.stringify(file), { strict: true, validate: { validators } });
}

function parsed(code: string): Record<string, unknown> {
  return JSON.parse(`{${code.replace(/^(\w+):/, '"$1":')}}`) as Record<string, unknown>;
}
