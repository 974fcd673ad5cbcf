from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [('models', '0008_strictness')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Head',
            name='hidden_at',
            field=fields.BigIntField(null=True),
        ),
        ops.CreateModel(
            name='PastChange',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('head', fields.ForeignKeyField('models.Head', source_field='head_id', db_constraint=True, to_field='id', related_name='past_changes', on_delete=OnDelete.CASCADE)),
                ('part', fields.CharField(max_length=255)),
                ('changed_at', fields.BigIntField()),
            ],
            options={'table': 'past_change', 'app': 'models', 'unique_together': (('head', 'part'),), 'pk_attr': 'id', 'table_description': 'When a part last changed, of what the change log has lost to pruning.'},
            bases=['Table'],
        ),
    ]
