// The processor's cycle counter, and the kernel's clocks without the cost of a bigint.
#include <time.h>

#include "addon.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>

static uint64_t read_counter(void) { return __rdtsc(); }

// Constant rate in all power states: CPUID 0x80000007, EDX bit 8.
static bool counter_is_invariant(void) {
  unsigned a, b, c, d;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
}

static double counter_frequency_by_cpu(void) { return 0; }

#elif defined(__aarch64__)

static uint64_t read_counter(void) {
  uint64_t value;
  __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value)::"memory");
  return value;
}

static bool counter_is_invariant(void) { return true; }

static double counter_frequency_by_cpu(void) {
  uint64_t value;
  __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
  return (double)value;
}

#else

static uint64_t read_counter(void) { return 0; }
static bool counter_is_invariant(void) { return false; }
static double counter_frequency_by_cpu(void) { return 0; }

#endif

// One reading of both clocks: of several tries, the one whose two cycle readings lie closest around the kernel's.
typedef struct {
  uint64_t cycles;
  double nanoseconds;
} reading;

static reading read_both(void) {
  reading best = {0, 0};
  uint64_t narrowest = UINT64_MAX;
  for (int i = 0; i < 8; i++) {
    struct timespec now;
    uint64_t before = read_counter();
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    uint64_t after = read_counter();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    best.cycles = before + (after - before) / 2;
    best.nanoseconds = (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
  }
  return best;
}

// Taken once per process when the addon is first loaded. Cycles are counted from here, so that a double holds them exactly: 2^53
// cycles at 3 GHz are 34 days, after which the count wraps.
static reading origin;

// rdtsc(): number
static napi_value rdtsc(napi_env env, napi_callback_info info) {
  (void)info;
  return make_double(env, (double)((read_counter() - origin.cycles) & ((UINT64_C(1) << 53) - 1)));
}

// tscFrequency(microseconds: number): number. Spins until the addon has been loaded for at least that long.
static napi_value tsc_frequency(napi_env env, napi_callback_info info) {
  napi_value argument;
  uint32_t microseconds;
  if (!get_arguments(env, info, 1, &argument) || !get_uint32(env, argument, &microseconds)) return NULL;
  if (!counter_is_invariant()) return make_double(env, 0);
  if (counter_frequency_by_cpu() > 0) return make_double(env, counter_frequency_by_cpu());
  if (microseconds > 100000) microseconds = 100000;
  reading now;
  do now = read_both();
  while (now.nanoseconds - origin.nanoseconds < (double)microseconds * 1e3 || now.nanoseconds <= origin.nanoseconds);
  return make_double(env, (double)(now.cycles - origin.cycles) / (now.nanoseconds - origin.nanoseconds) * 1e9);
}

static napi_value read_clock(napi_env env, clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return make_double(env, (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3);
}

// monotonicMicros(): number
static napi_value monotonic_micros(napi_env env, napi_callback_info info) {
  (void)info;
  return read_clock(env, CLOCK_MONOTONIC);
}

// threadCpuMicros(): number
static napi_value thread_cpu_micros(napi_env env, napi_callback_info info) {
  (void)info;
  return read_clock(env, CLOCK_THREAD_CPUTIME_ID);
}

bool define_clock(napi_env env, napi_value exports) {
  static const function_entry functions[] = {{"rdtsc", rdtsc},
                                             {"tscFrequency", tsc_frequency},
                                             {"monotonicMicros", monotonic_micros},
                                             {"threadCpuMicros", thread_cpu_micros}};
  if (!origin.cycles) origin = read_both();
  return define_functions(env, exports, functions, LENGTH_OF(functions));
}
