import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Operation } from '../auth/auth.guard.js';
import { errorCodes } from '../errors/error-codes.js';

const rows = Object.entries(errorCodes)
  .map(
    ([code, { http, title }]) =>
      `<tr id="${code}"><td><a href="#${code}"><code>${code}</code></a></td><td>${http}</td><td>${title}</td></tr>`,
  )
  .join('\n');

const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Error codes</title>
<style>
body { font: 16px/1.5 system-ui; margin: 2rem auto; max-width: 50rem; padding: 0 1rem }
td, th { padding: .3rem 1rem .3rem 0; text-align: left }
:target { background: #ffefb0 }
</style>
<h1>Error codes</h1>
<p>Every error is a problem as of RFC 9457. <code>code</code> is stable and for programs; <code>detail</code> says what to do.</p>
<table><tr><th>code</th><th>HTTP status</th><th>meaning</th></tr>
${rows}
</table></html>
`;

/** What the `type` of a problem points to. */
@Controller('docs/errors')
@ApiExcludeController()
@Operation('docs.read')
export class ErrorsController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  show(): string {
    return page;
  }
}
