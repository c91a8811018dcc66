export const roles = ['viewer', 'operator', 'worker', 'admin', 'root'] as const;
export type Role = (typeof roles)[number];

/** Who is calling. */
export interface Principal {
  tenant_id: string;
  role: Role;
  /** Goes to `created_by` and to the log: `root`, `anonymous`. */
  name: string;
}
