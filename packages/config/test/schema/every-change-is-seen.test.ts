import { describe, expect, it } from "vitest";
import { clusterEquals, clusterSettingsEqual, routeEquals, type ClusterConfig, type RouteConfig } from "../../src/index.ts";
import { ClusterSection } from "../../src/schema/cluster-schema.ts";
import { RouteSection } from "../../src/schema/route-schema.ts";
import { shapeOf, type Shape } from "../../src/schema/schema-shape.ts";

type Json = Readonly<Record<string, unknown>>;
interface Variant {
  readonly path: string;
  readonly value: unknown;
}

/** A value in which everything is set that the schema knows. Items of a list differ. */
function full(shape: Shape, which: 0 | 2 = 0): unknown {
  switch (shape.kind) {
    case "scalar":
      return scalars(shape)[which];
    case "list":
      return [full(shape.item, 0), full(shape.item, 2)];
    case "record":
      return { first: full(shape.value, which), second: full(shape.value, which) };
    case "section":
      return Object.fromEntries([...shape.fields.values()].map((field) => [field.member, full(field.shape, which)]));
  }
}

/** All values that differ from `value` in one scalar, one item, one key, or one member that is not there. */
function* variants(shape: Shape, value: unknown, path: string): Generator<Variant> {
  if (shape.kind === "scalar") {
    yield { path, value: scalars(shape)[1] };
  } else if (shape.kind === "list") {
    const [first, second] = value as readonly unknown[];
    yield { path: `${path} shorter`, value: [first] };
    yield { path: `${path} empty`, value: [] };
    for (const variant of variants(shape.item, second, `${path}[1]`)) yield { path: variant.path, value: [first, variant.value] };
  } else if (shape.kind === "record") {
    const { first, second } = value as Json;
    yield { path: `${path} smaller`, value: { first } };
    yield { path: `${path} with another key`, value: { first, third: second } };
    for (const variant of variants(shape.value, second, `${path}:second`)) yield { path: variant.path, value: { first, second: variant.value } };
  } else {
    const whole = value as Json;
    for (const { member, shape: inner } of shape.fields.values()) {
      // What a scalar is when it is absent may be what it was.
      if (inner.kind !== "scalar") yield { path: `${path}.${member} absent`, value: { ...whole, [member]: undefined } };
      for (const variant of variants(inner, whole[member], `${path}.${member}`)) yield { path: variant.path, value: { ...whole, [member]: variant.value } };
    }
  }
}

/** Three values, of which the second is unlike the others. */
function scalars({ info: { json } }: Extract<Shape, { readonly kind: "scalar" }>): readonly [unknown, unknown, unknown] {
  const names = json["enum"] as readonly unknown[] | undefined;
  if (names !== undefined) return [names[0], names[1], names[2] ?? names[0]];
  if (json["type"] === "boolean") return [true, false, true];
  return json["type"] === "integer" ? [2, 3, 4] : ["a", "b", "c"];
}

describe("a reload sees a change of", () => {
  const routes = shapeOf(RouteSection);
  const route = { ...(full(routes) as object), routeId: "a" } as unknown as RouteConfig;
  const clusters = shapeOf(ClusterSection);
  const cluster = { ...(full(clusters) as object), clusterId: "a" } as unknown as ClusterConfig;

  it("nothing, where nothing has changed", () => {
    expect(routeEquals(route, structuredClone(route))).toBe(true);
    expect(clusterEquals(cluster, structuredClone(cluster))).toBe(true);
  });

  it.each([...variants(routes, route, "route")])("$path", ({ value }) => {
    expect(routeEquals(route, value as RouteConfig)).toBe(false);
    expect(routeEquals(value as RouteConfig, route)).toBe(false);
  });

  it.each([...variants(clusters, cluster, "cluster")])("$path", ({ path, value }) => {
    expect(clusterEquals(cluster, value as ClusterConfig)).toBe(false);
    expect(clusterEquals(value as ClusterConfig, cluster)).toBe(false);
    // Destinations come and go without a rebuild of the routes.
    expect(clusterSettingsEqual(cluster, value as ClusterConfig)).toBe(path.startsWith("cluster.destinations"));
  });
});
