import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/main.ts"],
  format: ["esm"],
  target: "es2024",
  platform: "node",
  dts: false,
  sourcemap: true,
  clean: true,
});
