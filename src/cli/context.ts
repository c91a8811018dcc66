import { Api, serverUrl } from './api.js';
import { Printer, type Output } from './print.js';
import { findToken } from './token.js';

/** What every command works with. */
export interface Context {
  api: Api;
  print: Printer;
}

/** Options of the program itself. */
export interface GlobalOptions {
  url?: string;
  token?: string;
  output: Output;
}

export const defaultUrl = 'http://127.0.0.1:8000';

export function contextOf({ url, token, output }: GlobalOptions): Context {
  const { env } = process;
  const address = serverUrl(url || env.ARKITECT_URL || defaultUrl);
  return { api: new Api(address, findToken({ token, env, url: address })), print: new Printer(output) };
}
