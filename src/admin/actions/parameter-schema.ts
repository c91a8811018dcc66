import 'reflect-metadata';

type Property = Record<string, unknown> & { required?: boolean; type?: unknown; isArray?: boolean };

/** JSON Schema (2020-12) of what an action takes, from what its DTO says to OpenAPI. */
export function parameterSchema(parameters: new () => object): Record<string, unknown> {
  const names = ((Reflect.getMetadata('swagger/apiModelPropertiesArray', parameters.prototype as object) ?? []) as string[]).map((name) =>
    name.replace(/^:/, ''),
  );
  const properties = names.map((name) => {
    const property = Reflect.getMetadata('swagger/apiModelProperties', parameters.prototype as object, name) as Property;
    return [name, property] as const;
  });
  return {
    type: 'object',
    properties: Object.fromEntries(properties.map(([name, property]) => [name, schemaOf(property)])),
    required: properties.filter(([, { required }]) => required).map(([name]) => name),
    additionalProperties: false,
  };
}

function schemaOf({ required: _required, isArray: _isArray, name: _name, example, ...schema }: Property): Record<string, unknown> {
  return { ...schema, ...(example !== undefined && { examples: [example] }) };
}
