import type { AuthenticationSchemeConfig } from "@proxy/config";
import type { AuthenticationScheme, SchemeServices } from "./scheme.ts";

/** The sections of a scheme in the configuration: which kind it is. */
export type SchemeSection = Exclude<keyof AuthenticationSchemeConfig, "name">;

export type SchemeSectionConfig<S extends SchemeSection> = NonNullable<AuthenticationSchemeConfig[S]>;

/** Something wrong with a scheme that only shows outside the configuration, such as in a file that it names. */
export interface SchemeFault {
  /** Members below the section, as files spell them. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string | undefined;
}

/** How schemes of one section are made. */
export interface SchemeKind<S extends SchemeSection = SchemeSection> {
  readonly section: S;
  /** What is wrong beyond the rules of the configuration; `schemes` are all there are. */
  faults?(config: SchemeSectionConfig<S>, schemes: readonly AuthenticationSchemeConfig[], services: Pick<SchemeServices, "trusts">): readonly SchemeFault[];
  /** Makes one that is not in force yet: nothing is asked of others before `start`. May throw. */
  create(name: string, config: SchemeSectionConfig<S>, services: SchemeServices): AuthenticationScheme;
}
