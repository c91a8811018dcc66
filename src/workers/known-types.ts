import { Injectable } from '@nestjs/common';
import { WorkersStore } from './workers.store.js';

/** Which types some worker has announced: tasks of these are accepted, although this server does not run them itself. */
@Injectable()
export class KnownTypes {
  private readonly byTenant = new Map<string, Set<string>>();

  constructor(private readonly store: WorkersStore) {}

  has(tenantId: string, type: string): boolean {
    return this.byTenant.get(tenantId)?.has(type) ?? false;
  }

  /** Looks all of them up again when they are asked for. Answers how many it knew. */
  forget(): number {
    const count = [...this.byTenant.values()].reduce((sum, types) => sum + types.size, 0);
    this.byTenant.clear();
    return count;
  }

  /** Looks up those of `types` that are not known yet. A type that was announced once stays known. */
  async lookUp(tenantId: string, types: string[]): Promise<void> {
    const unknown = types.filter((type) => !this.has(tenantId, type));
    if (!unknown.length) return;
    const known = this.byTenant.get(tenantId) ?? new Set<string>();
    for (const type of await this.store.knownTypes(tenantId, unknown)) known.add(type);
    this.byTenant.set(tenantId, known);
  }
}
