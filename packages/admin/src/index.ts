export { type Admin, type AdminOptions, adminRoutes, startAdmin } from "./admin.ts";
export type { AdminSource, ClientReport, ExportReport, HealthReport, Metric, Sample } from "./source.ts";
