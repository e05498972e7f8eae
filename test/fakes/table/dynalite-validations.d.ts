/** How dynalite reads expressions: what we use of it. */
declare module 'dynalite/validations/index.js' {
  export interface Texts {
    readonly UpdateExpression?: string | undefined;
    readonly ConditionExpression?: string | undefined;
    readonly KeyConditionExpression?: string | undefined;
    readonly FilterExpression?: string | undefined;
    readonly ProjectionExpression?: string | undefined;
    readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  }

  /** An attribute value as it travels, such as `{ S: 'text' }`. */
  export interface Literal {
    readonly type?: never;
    readonly [type: string]: unknown;
  }

  /** Names of maps and places in lists. */
  export type Path = readonly (string | number)[];

  export interface Call {
    /** An operator such as `=`, `and`, `between`, `add`; or `function`, which has a name. */
    readonly type: string;
    readonly name?: string;
    readonly args: readonly Operand[];
  }

  export type Operand = Path | Call | Literal;

  export interface Section {
    readonly type: 'set' | 'remove' | 'add' | 'delete';
    readonly path: Path;
    readonly val?: Operand;
  }

  interface Parsed<Expression> {
    readonly expression: Expression;
    readonly nestedPaths: Readonly<Record<string, true>>;
    readonly pathHeads: Readonly<Record<string, true>>;
  }

  export interface Expressions extends Texts {
    readonly ExpressionAttributeValues?: Readonly<Record<string, Literal>> | undefined;
    // These are set by validateExpressions.
    _updates?: {
      readonly sections: readonly Section[];
      readonly nestedPaths: Readonly<Record<string, true>>;
    };
    _condition?: Parsed<Call>;
    _keyCondition?: Parsed<Call>;
    _filter?: Parsed<Call>;
    _projection?: { readonly paths: readonly Path[]; readonly nestedPaths: Readonly<Record<string, true>> };
  }

  export interface KeyCondition {
    readonly ComparisonOperator: 'EQ' | 'LT' | 'LE' | 'GT' | 'GE' | 'BETWEEN' | 'BEGINS_WITH';
    readonly AttributeValueList: readonly Literal[];
  }

  /** @returns what is wrong, in DynamoDB's words */
  export function validateExpressions(expressions: Expressions): string | undefined;

  /** @returns conditions by the names of attributes, or what is wrong */
  export function convertKeyCondition(expression: Call): string | Readonly<Record<string, KeyCondition>>;
}
