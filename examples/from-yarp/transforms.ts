import type { OpenTransformFactory, TransformProvider } from "@proxy/pipeline";

// .AddTransforms(context => context.AddRequestTransform(…)), or an ITransformProvider
export const provider: TransformProvider = {
  validateCluster(cluster) {
    if (cluster.metadata?.["Tenant"] !== "") return [];
    const entity = { kind: "cluster", id: cluster.clusterId } as const;
    return [{ code: "tenant-empty", severity: "error", message: `Tenant of cluster '${cluster.clusterId}' is empty`, entity, path: ["Metadata", "Tenant"] }];
  },
  apply(builder) {
    const tenant = builder.cluster?.metadata?.["Tenant"];
    if (tenant === undefined) return;
    builder
      .request((outgoing) => outgoing.headers.set("X-Tenant", tenant))
      .response((response) => void response.headers.remove("x-powered-by"));
  },
};

// ITransformFactory: a form of one's own in the Transforms of a file
export const factory: OpenTransformFactory = {
  build(settings, plan) {
    const value = settings.get("CustomTransform");
    if (value === undefined) return false;
    if (value === "") settings.report("custom-transform", "CustomTransform needs a value");
    else plan.request.push((outgoing) => outgoing.headers.append("X-Custom", value));
    return true;
  },
};
