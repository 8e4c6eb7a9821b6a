import { EOF } from './chevrotain.ts';
import { StatementGrammar } from './statement-grammar.ts';
import * as t from './tokens.ts';

/**
 * The whole grammar; this file holds its declarations. One token of lookahead chooses between alternatives and
 * gates read a little further, so that an error is found at the token that is wrong.
 */
export class Grammar extends StatementGrammar {
  constructor() {
    super();
    this.performSelfAnalysis();
  }

  readonly file = this.RULE('file', () => {
    if (this.RECORDING_PHASE) this.SUBRULE(this.declaration);
    while (this.more(() => !this.at(EOF))) {
      this.recovering(
        () => this.SUBRULE(this.declaration),
        start => this.skipDeclaration(start),
      );
    }
  });

  private readonly declaration = this.RULE('declaration', () => {
    this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.importDeclaration) },
        { ALT: () => this.SUBRULE(this.constDeclaration) },
        { ALT: () => this.SUBRULE(this.fnDeclaration) },
        { ALT: () => this.SUBRULE(this.opDeclaration) },
        { ALT: () => this.SUBRULE(this.blockDeclaration) },
        { ALT: () => this.SUBRULE(this.netDeclaration) },
        { ALT: () => this.SUBRULE(this.trainDeclaration) },
      ],
      ERR_MSG: 'a declaration (import, const, fn, op, block, net or train)',
    });
  });

  private readonly importDeclaration = this.RULE('importDeclaration', () => {
    this.CONSUME(t.Import);
    this.OR({
      DEF: [
        { ALT: () => this.CONSUME(t.Identifier) },
        {
          ALT: () => {
            this.CONSUME(t.LBrace);
            this.AT_LEAST_ONE_SEP({
              SEP: t.Comma,
              DEF: () => this.CONSUME2(t.Identifier),
              ERR_MSG: 'a name to import',
            });
            this.CONSUME(t.RBrace);
          },
        },
      ],
      ERR_MSG: 'a name to import or `{`',
    });
    this.CONSUME(t.From);
    this.CONSUME(t.StringLiteral);
  });

  private readonly constDeclaration = this.RULE('constDeclaration', () => {
    this.CONSUME(t.Const);
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private readonly fnDeclaration = this.RULE('fnDeclaration', () => {
    this.CONSUME(t.Fn);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.params);
    this.CONSUME(t.Arrow);
    this.SUBRULE(this.result);
    this.SUBRULE(this.body);
  });

  private readonly opDeclaration = this.RULE('opDeclaration', () => {
    this.CONSUME(t.Op);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.params);
    this.CONSUME(t.Arrow);
    this.CONSUME2(t.Identifier, { LABEL: 'resultName' });
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.CONSUME(t.LBrace);
    this.CONSUME3(t.Identifier, { LABEL: 'target' });
    this.SUBRULE(this.index);
    this.CONSUME(t.Equals);
    this.CONSUME4(t.Identifier, { LABEL: 'reduction' });
    this.CONSUME(t.LParen);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => this.CONSUME5(t.Identifier, { LABEL: 'over' }),
      ERR_MSG: 'the name of an index',
    });
    this.CONSUME(t.RParen);
    this.SUBRULE(this.arithmetic);
    this.CONSUME(t.RBrace);
  });

  private readonly blockDeclaration = this.RULE('blockDeclaration', () => {
    this.CONSUME(t.Block);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.params, { LABEL: 'statics' });
    this.SUBRULE2(this.params);
    this.CONSUME(t.Arrow);
    this.SUBRULE(this.result);
    this.SUBRULE(this.body);
  });

  private readonly netDeclaration = this.RULE('netDeclaration', () => {
    this.CONSUME(t.Net);
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.SUBRULE(this.params);
      this.CONSUME(t.Arrow);
      this.SUBRULE(this.result);
    });
    this.OR({
      DEF: [{ ALT: () => this.SUBRULE(this.body) }, { ALT: () => this.SUBRULE(this.alias) }],
      ERR_MSG: 'a body in braces or `=` and a block',
    });
  });

  private readonly alias = this.RULE('alias', () => {
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
    this.OPTION(() => {
      this.CONSUME(t.Weights);
      this.CONSUME(t.StringLiteral, { LABEL: 'weightsFile' });
      this.OPTION2(() => {
        this.CONSUME(t.Rename);
        this.CONSUME2(t.StringLiteral, { LABEL: 'renameTable' });
      });
    });
  });

  private readonly trainDeclaration = this.RULE('trainDeclaration', () => {
    this.CONSUME(t.Train);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.body);
  });

  private readonly params = this.RULE('params', () => {
    this.CONSUME(t.LParen);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.param) });
    this.CONSUME(t.RParen);
  });

  private readonly param = this.RULE('param', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.OPTION(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.expr);
    });
  });

  private readonly result = this.RULE('result', () => {
    this.OR({
      DEF: [{ ALT: () => this.SUBRULE(this.params) }, { ALT: () => this.SUBRULE(this.type) }],
      ERR_MSG: 'the type of the result',
    });
  });
}
