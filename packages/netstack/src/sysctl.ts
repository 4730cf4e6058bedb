/**
 * FreeBSD's sysctl tree as far as the stack has it: named, described, bounded numbers and switches. A module registers its variables and
 * keeps the `Sysctl` object, whose `value` it reads as a plain field.
 */

export type SysctlValue = number | boolean | string;

export interface SysctlOptions<T extends SysctlValue> {
  readonly description: string;
  /** Smallest and largest number allowed. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** The strings allowed. */
  readonly choices?: readonly string[];
  readonly readOnly?: boolean;
  readonly onChange?: (value: T) => void;
}

/** One variable. */
export class Sysctl<T extends SysctlValue> {
  readonly name: string;
  readonly initial: T;
  readonly options: SysctlOptions<T>;
  /** Read it freely; write it with `set`. */
  value: T;

  constructor(name: string, initial: T, options: SysctlOptions<T>) {
    this.name = name;
    this.initial = initial;
    this.options = options;
    this.value = initial;
  }

  /** Throws a RangeError if the value has the wrong type or is out of bounds. */
  set(value: SysctlValue): void {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, choices } = this.options;
    // FreeBSD's switches are 0 and 1: take those too.
    const given = typeof this.initial === "boolean" && (value === 0 || value === 1) ? value === 1 : value;
    if (typeof given !== typeof this.initial) {
      throw new RangeError(`${this.name} is a ${typeof this.initial}, not ${JSON.stringify(value)}`);
    }
    if (typeof given === "number" && !(given >= minimum && given <= maximum)) {
      throw new RangeError(`${this.name} must be from ${minimum} to ${maximum}, not ${given}`);
    }
    if (typeof given === "string" && choices !== undefined && !choices.includes(given)) {
      throw new RangeError(`${this.name} must be one of ${choices.join(", ")}, not ${given}`);
    }
    this.value = given as T;
    this.options.onChange?.(this.value);
  }
}

export interface SysctlDescription {
  readonly name: string;
  readonly value: SysctlValue;
  readonly initial: SysctlValue;
  readonly description: string;
  readonly readOnly: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly string[];
}

export class SysctlTree {
  readonly #variables = new Map<string, Sysctl<SysctlValue>>();
  readonly #pending: Map<string, SysctlValue>;

  /** `settings` are applied as the modules that own the names register them. */
  constructor(settings: Readonly<Record<string, SysctlValue>> = {}) {
    this.#pending = new Map(Object.entries(settings));
  }

  number(name: string, initial: number, options: SysctlOptions<number>): Sysctl<number> {
    return this.#register(new Sysctl<number>(name, initial, options));
  }

  boolean(name: string, initial: boolean, options: SysctlOptions<boolean>): Sysctl<boolean> {
    return this.#register(new Sysctl<boolean>(name, initial, options));
  }

  string(name: string, initial: string, options: SysctlOptions<string>): Sysctl<string> {
    return this.#register(new Sysctl<string>(name, initial, options));
  }

  /** Throws a RangeError for a name that nobody registered. */
  get(name: string): SysctlValue {
    return this.#find(name).value;
  }

  /** Throws a RangeError for an unknown or read-only name, a wrong type, or a value out of bounds. */
  set(name: string, value: SysctlValue): void {
    const variable = this.#find(name);
    if (variable.options.readOnly) throw new RangeError(`${name} can be read only`);
    variable.set(value);
  }

  describe(name: string): SysctlDescription {
    const { value, initial, options } = this.#find(name);
    return {
      name,
      value,
      initial,
      description: options.description,
      readOnly: options.readOnly ?? false,
      ...(options.minimum === undefined ? {} : { minimum: options.minimum }),
      ...(options.maximum === undefined ? {} : { maximum: options.maximum }),
      ...(options.choices === undefined ? {} : { choices: options.choices }),
    };
  }

  /** Every variable whose name begins with `prefix`, sorted by name. */
  list(prefix = ""): SysctlDescription[] {
    const names = [...this.#variables.keys()].filter((name) => name.startsWith(prefix));
    return names.sort().map((name) => this.describe(name));
  }

  /** Settings given to the constructor under names that nobody has registered: most likely misspelt. */
  get unknown(): string[] {
    return [...this.#pending.keys()];
  }

  #register<T extends SysctlValue>(variable: Sysctl<T>): Sysctl<T> {
    if (this.#variables.has(variable.name)) throw new RangeError(`${variable.name} is registered already`);
    this.#variables.set(variable.name, variable as unknown as Sysctl<SysctlValue>);
    const setting = this.#pending.get(variable.name);
    if (setting !== undefined) {
      this.#pending.delete(variable.name);
      variable.set(setting);
    }
    return variable;
  }

  #find(name: string): Sysctl<SysctlValue> {
    const variable = this.#variables.get(name);
    if (variable === undefined) throw new RangeError(`no such sysctl: ${name}`);
    return variable;
  }
}
