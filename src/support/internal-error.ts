/** A fault of the compiler itself, not of the program it compiles. Says what happened and shows the IR it happened to. */
export class InternalError extends Error {
  /** Printed IR and the like, too long for the message. */
  readonly detail: string;
  constructor(message: string, detail = '', options?: ErrorOptions) {
    super(detail === '' ? message : `${message}\n${detail}`, options);
    this.name = 'InternalError';
    this.detail = detail;
  }
}
