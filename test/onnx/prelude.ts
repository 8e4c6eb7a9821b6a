/** Text that stands before every case. */
export const prelude = '';
