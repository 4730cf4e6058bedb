export { type Admin, type AdminOptions, adminRoutes, startAdmin } from "./admin.ts";
export type {
  AdminSource,
  ClientReport,
  CounterMetric,
  ExportReport,
  HealthReport,
  HistogramMetric,
  HistogramSample,
  Metric,
  Sample,
} from "./source.ts";
