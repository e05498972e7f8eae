/** As in package.json (a test compares them); goes out in `user-agent`. */
export const version = '0.1.0';
