/** The version of this front end; the same as the Python package's, which a test checks. */
export const VERSION = '0.1.0';
