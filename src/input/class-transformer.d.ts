/** What class-transformer's decorators have said. @nestjs/mapped-types reads it there, too; the package gives it no types. */
declare module 'class-transformer/cjs/storage.js' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage.js';
}
