/** Of this package, for the name it gives itself at the issuer; a test keeps it equal to package.json. */
export const version = '0.1.0';
