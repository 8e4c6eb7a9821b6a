import { Recovery, type Rule } from './recovery.ts';
import * as t from './tokens.ts';

/** What stands in brackets behind a name: the dims of a type and the indices of a value. */
export abstract class ShapeGrammar extends Recovery {
  protected abstract readonly arithmetic: Rule;

  protected readonly index = this.RULE('index', () => {
    this.CONSUME(t.LBracket);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.indexItem) });
    this.CONSUME(t.RBracket);
  });

  private readonly indexItem = this.RULE('indexItem', () => {
    this.OR({
      DEF: [
        { ALT: () => this.CONSUME(t.Ellipsis) },
        { ALT: () => this.SUBRULE(this.sliceEnd) },
        {
          ALT: () => {
            this.SUBRULE(this.arithmetic);
            this.OPTION(() => this.SUBRULE2(this.sliceEnd));
          },
        },
      ],
      ERR_MSG: 'an index',
    });
  });

  /** `:to:step`, where both may be absent. */
  private readonly sliceEnd = this.RULE('sliceEnd', () => {
    this.CONSUME(t.Colon);
    this.OPTION(() => this.SUBRULE(this.arithmetic, { LABEL: 'to' }));
    this.OPTION2(() => {
      this.CONSUME2(t.Colon);
      this.OPTION3(() => this.SUBRULE2(this.arithmetic, { LABEL: 'step' }));
    });
  });

  protected readonly type = this.RULE('type', () => {
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.LBracket);
      this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.dim) });
      this.CONSUME(t.RBracket);
    });
  });

  private readonly dim = this.RULE('dim', () => {
    this.OR({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Ellipsis);
            this.OPTION(() => this.CONSUME(t.Identifier));
          },
        },
        { ALT: () => this.SUBRULE(this.arithmetic) },
      ],
      ERR_MSG: 'a dim',
    });
  });
}
