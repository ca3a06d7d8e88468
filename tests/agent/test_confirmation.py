"""What confirms a gate, and what only sounds like it: a wrong confirmation is the worst misreading."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.base import ConfirmGate
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .example import PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, ask, context_at, sentences

PLAIN = """
    go | go on | go ahead | Go ahead! | GO ON | go for it | goahead | go on please | please go on | pls go on
    go on then | ok go | ok, go on | okay go ahead | okay, go ahead please | yes go on | yes, go ahead
    yes please go ahead | yep, go | yes | Yes! | YES | yes. | yep | yeah | yup | yea | yess | yes please | yes, please
    yes thanks | yes thank you | y | aye | yes sir | sure | sure! | sure thing | sure, go ahead | of course | ok | OK
    Ok. | okay | okay! | k | kk | ok then | ok thanks | ok great | ok, great, thanks | ok cool | alright | all right
    alright, continue | alright then | fine | fine with me | fine by me | ok for me | ok with me | good for me
    works for me | that works | that works for me | this works | fine, continue | fine, go on | that's fine
    that is fine | thats fine | it's fine | its ok | it's ok | this is fine | this is ok | that is ok | that's ok
    all is fine | all good | all fine | all ok | it is all good | everything is fine | everything looks good
    everything looks fine to me | all looks good | it all looks good | looks good | Looks good! | LOOKS GOOD
    looks good to me | looks good, thanks | looks great | looks fine | looks ok | looks okay to me | looks right
    looks correct | looks alright | looks perfect | looks excellent | looks reasonable | looks sensible
    looks all right | looks very good | looks really good | look good | this looks good | that looks good
    that looks great to me | it looks good | it looks fine | the plan looks good | the plan is fine | the plan is ok
    your plan looks good to me | this plan is good | the proposal looks fine | the settings look good
    the results look good | sounds good | sounds good to me | sounds great | sounds right | that sounds good
    sounds fine | seems fine | seems good | seems right to me | it seems ok | lgtm | LGTM! | lgtm, thanks | perfect
    perfect, thanks | perfect, go on | correct | that is correct | that's correct | that's right | this is right
    it's correct | absolutely | definitely | certainly | agreed | I agree | i agree with this | i agree with the plan
    agree | approved | approve | I approve | approve it | approve this | approve the plan | this is approved
    all approved | accept | accepted | I accept | accept it | accept the plan | accept the proposal
    accept this suggestion | confirm | Confirm. | confirmed | I confirm | we confirm | confirm it | confirm this
    confirm that | confirm the plan | confirm the stage | confirm this stage | confirm the gate | confirm please
    please confirm | please confirm it | confirm, thanks | yes, confirm | yes confirm | yes I confirm | ok confirm
    okay, confirmed | confirm and continue | confirm and go on | confirmed, continue | hello, please confirm
    kindly confirm | just confirm | I want to confirm | confirm the settings | confirm the choice
    confirm these settings | confirm these | continue | Continue. | continue please | please continue
    yes, please continue | yes, continue | ok continue | continue then | continue with it | continue with this
    continue with this plan | continue like this | continue as is | continue with these settings | continue as it is
    continue as planned | continue as proposed | just continue | continue with the next step
    continue to the next stage | let's continue | lets continue | let us continue | carry on | carry on please
    ok carry on | keep going | move on | move on please | let's move on | ok let's move on | move ahead
    move on to the next step | move forward | proceed | Proceed! | proceed please | please proceed | ok proceed
    yes, proceed | proceed as planned | proceed as proposed | proceed with this | proceed with the plan
    proceed like this | proceed to the next stage | you can proceed | you may proceed | you can continue
    you can go on | you may go on now | we can continue | we can go on | we can proceed | I want to continue
    I'd like to continue | I would like to proceed | I'd like you to go on | I want you to continue
    feel free to continue | feel free to proceed | ready to continue | I'm ready to go on | I am ready to continue
    time to move on | good to go | ready to go | let's go | lets go! | let's go on | let's start | let's begin
    let's get going | let's get started | get started | start | start now | start it | begin | begin now | ok start
    ok let's start | now start | go with it | go with this | go with the plan | go with this plan | go with that
    go with these settings | next | next! | next please | next step | next stage | next one please | next step please
    ok next | take the next step | make it so | great, go on | great, continue | great, let's continue | good, go on
    good, continue | nice, go on | nice, carry on | cool, go ahead | excellent, proceed | awesome, continue
    wonderful, go ahead | thanks, go on | thank you, continue | thank you, please continue | thanks, looks good
    nice work, go on | well done, continue | good job, proceed | got it, go on | I see, continue | understood, go on
    no changes, go on | no changes, continue | no further changes, please continue | nothing to change, go on
    no objections, proceed | no more questions, continue | no changes from my side, go on | I have seen it, go on
    I'm happy with this | I am happy with it, go on | I'm fine with that | Looks good. Go on. | Yes. Continue.
    Thanks! Go on. | Hello! Please continue. | Great. Looks good. Confirm. | Ok; go on | go on. thanks
    Good morning! Go on please | go go go | go, go, go | yes yes yes | ok ok, go on | yes, looks good, go on
    can you go on | can you continue? | could you continue please | could you please continue?
    would you please go on | will you please proceed | can you proceed | can you please go ahead? | could you move on
    can you just continue | contiue | conitnue | contine please | procede | procceed | confrim | comfirm | aprove
    confimr it | ok\nlooks good\ngo on | go on... | ok!!! | yes ;) | ok :) | go on - thanks
"""
#: What names the stage that comes next confirms the one before it.
NEXT = {
    SELECT: """
    train | train it | train them | train them all | train all of them | train the models | train these models
    train now | train please | please train | ok train | now train | ok, now train the models
    train the chosen models | fit the models | start training | start the training | start training now
    please start training | ok start training | begin training | let's train | let's start training | run training
    launch the training | go to training | go on to training | go on with training | go on with the training
    continue to training | continue with training | proceed to training | proceed with the training
    move on to training | looks good, train it | yes, train | yes, start training | I want to start training
    can you start training? | could you please start the training | you can train now | start trainig | begin traning
    go ahead and train | go ahead with training | confirm and train | confirm the models | the models look good
    the models are fine | go with these models | continue with these models | go with the models
    """,
    PROFILE: """
    go on to preprocessing | proceed to preprocessing | continue with the preparation | start preprocessing
    preprocess it | on to preparation | the profile looks good | confirm the profile | confirm the stage Profile
    continue with preprocessing
    """,
    PREPROCESS: """
    continue to model selection | proceed to the model selection | go on to models | the split is fine
    confirm the split | the split looks good, go on | preprocessing looks good | confirm preprocessing
    """,
    TRAIN: """
    go on to the review | proceed to review | continue with the review | move on to evaluation | confirm training
    continue to the review stage | start the review
    """,
    REVIEW: """
    export | export it | export the model | export the bundle | looks great, export it | please export | export now
    go on to export | proceed to export | start the export | the review looks good, export it | confirm the review
    """,
}
ASKS = """
    ok? | okay? | yes? | go? | go on? | continue? | confirm? | confirmed? | proceed? | fine? | good? | right?
    correct? | next? | looks good? | looks good to you? | does it look good | does this look right
    does that look ok to you? | is this ok | is this ok? | is it ok to continue | is it ok to go on? | is it fine
    is that right | is that correct? | is it good to go | is everything ok | is everything fine? | is all good?
    are we good | are we good to go | are we good to go? | are you sure | are you sure? | are you ready?
    are you confirmed | are we ready | am I ready to go on | all good? | everything ok? | should we go on
    should I confirm | should I confirm? | should I continue | should we continue? | should we proceed
    should I go ahead | should I accept | should I approve it? | shall we | shall we go on | shall we continue?
    shall I confirm | can you confirm | can you confirm? | can you confirm that | can you confirm this?
    can you confirm it's right | could you confirm the split | could you confirm that this is fine | would you confirm
    will you confirm | can I continue | can I continue? | can we continue? | can we go on? | can we start?
    may I continue | may I go on? | can I confirm later | can I go back after I confirm?
    can I still change it once confirmed | could we proceed | could I continue | would it be ok
    would it be fine to continue | would you go on | would you continue with this? | would you say it looks good
    would you accept this? | do you agree | do you agree? | do I confirm | do I have to confirm | do I need to confirm
    do we go on | do we continue? | do I say yes | did I confirm | did I confirm? | have I confirmed
    has it been confirmed | is it confirmed | is it confirmed? | was it approved | who confirmed | who confirmed it?
    what if I confirm | what if I confirm? | what happens if I go on | what happens when I confirm | what happens next
    what happens next? | what comes next | what's next | what's next? | what next | what next? | what is the next step
    what is next? | what do I confirm | what am I confirming | what am I confirming? | what does confirm do
    what would you do next | what is confirmed | what is ok | what is good | what's good enough | what will start
    why confirm | why should I confirm? | why should I continue | why go on | why is it ok | why is it good?
    why next | how do I confirm | how do I confirm? | how do I continue | how do I go on? | how to confirm
    how to proceed | how to go on? | how good is it | how good is it? | how good | how sure are you
    how long if I go on | how correct is it | when do we start | when can I confirm? | when does it start
    when should I go on | where do I confirm | where do I confirm? | which one is right | which is correct
    which is good? | who says yes | whose ok is it | tell me when to confirm | tell me if it is ok
    tell me whether it's right | tell me what is next | show me what's next | show what I confirm
    explain what happens next | explain why it is ok | I wonder if it's ok | I wonder whether to go on
    not sure if it's ok | not sure whether to continue | any reason to continue | any reason not to go on
    any reason not to confirm? | before I confirm, what is the metric | before I go on, which columns are used?
    ok, what is the target? | ok and what next? | ok so what is the metric | ok, which models are there | yes, but why
    yes but why? | yes, why? | fine, but how long will it take | fine, how long? | great, what now | great, what now?
    good, but is it right? | go on with what? | continue with what | continue where | continue to what? | proceed how
    proceed how? | start what | start what? | start when? | next what | sure about that? | sure? | really ok?
    ok or not | ok or not? | yes or no | yes or no? | good or bad | right or wrong? | confirm what | confirm what?
    confirm which | accept what? | approve which one? | agreed on what | is yes right | is this the right choice
    is the plan good | is the plan fine? | does the plan look good | do the settings look good? | is lightgbm good
    is lightgbm a good choice? | is recall right | is recall the right metric? | is age ok as the target
    can we train | should we train | should I start training? | shall we start training | is training next
    is it time to train | when will training start | what will training do | is training ok | will it start training
    could you check that it is right | can you check it's ok | can you make sure it is fine
    can you tell me if it is ok | can you say whether it looks good | please tell me what to confirm
    please explain before I continue | help me confirm
"""
CONDITIONS = """
    go on if | go on if it is fine | go on if you think so | go on if you want | go if it's ok
    go on if recall is above 0.8 | go on unless it leaks | go on unless you see a problem | go on once it is fixed
    go on when it's done | go on when ready | go on when I say so | go on as soon as age is dropped
    go on after dropping age | go on only if the score is good | go on provided that age is out
    go on assuming it is right | go on in case it is good | go on until it is done | go on later | go on tomorrow
    go on at 5 | go on in an hour | go on in 5 minutes | go on after lunch | go on after that | go on whenever
    go on depending on the score | go on as long as it is fast | ok if | ok if you say so | ok if you think so
    ok if age is dropped | ok if it is fast | ok unless | ok unless it leaks | ok when it's fixed
    ok once age is gone | ok as long as it is fast | ok provided that | ok provided it is fast
    ok assuming it's right | ok only if | ok only if age is dropped | ok maybe | ok later | ok in a minute
    ok after lunch | ok, if so | ok in that case | ok, in case it is better | ok depending | yes if | yes, if
    yes if you can | yes if it's fast | yes, if age is dropped | yes unless it is slow | yes, once it's done
    yes when it is fixed | yes as long as it's quick | yes provided that it is good | yes assuming so | yes maybe
    yes later | yes, but only if | yes, but only when ready | yes only if | yes perhaps | yes tomorrow
    yes in principle | yes at some point | fine if | fine if it is fast | fine if you think so | fine unless it leaks
    fine as long as it works | fine once fixed | fine when age is gone | fine, if it must be | fine later | fine maybe
    fine provided that | fine in principle | looks good if | looks good if age is dropped
    looks good unless I am wrong | looks good so far | looks good once fixed | looks good as long as recall is high
    looks good assuming the data is right | looks good in principle | looks good for the most part | looks good mostly
    mostly looks good | partly looks good | looks fine if it is fast | looks fine unless it leaks
    looks ok if you say so | sounds good if | sounds good if it is fast | sounds good unless | sounds good in theory
    sounds good once age is gone | perfect if | perfect if it is fast | perfect once | great if | great if it works
    good if | good if fast | good once fixed | correct if | correct if age is the target | right if | agreed if
    agreed if it's fast | agreed unless | approved if | approved once | approved when the score is good | accepted if
    accept if | accept if good | accept it if recall is above 0.9 | accept only if | accept only when | approve if
    approve when | approve once fixed | confirm if | confirm if it is good | confirm if recall is above 0.8
    confirm when | confirm when ready | confirm when done | confirm once | confirm once trained | confirm only if
    confirm only when | confirm only after | confirm after | confirm after 5 minutes | confirm later | confirm unless
    confirm unless I object | confirm as soon as | confirm as soon as possible | confirm as soon as it is ready
    confirm until | confirm in case | confirm depending on the score | confirm tomorrow | continue if | continue if ok
    continue if it's ok | continue if you can | continue if auc is better | continue unless | continue unless it fails
    continue once | continue once done | continue when | continue when done | continue only if | continue only when
    continue as long as it is fine | continue until | continue until 5 | continue until training
    continue until it gets worse | continue later | continue after | continue for now if | continue in 5 minutes
    proceed if | proceed if fine | proceed if possible | proceed if the metric is above 0.8 | proceed only when
    proceed only if | proceed only after | proceed unless | proceed unless it leaks | proceed once
    proceed once ready | proceed when | proceed when ready | proceed with caution | proceed until
    proceed until review | proceed later | proceed as far as training | proceed provided that | start if
    start if ready | start when | start when I say | start once | start at 5 | start at midnight | start in an hour
    start later | start tomorrow | start only if | start after | start unless | start as soon as you can | next if
    next time | next week | next once | next unless | train if | train if there is time | train when | train once
    train unless | train only if it is fast | train until | train until it converges | train tomorrow | train later
    train overnight if | start training if | start training when | start training once age is out
    start training at 5 | start training later | start training unless | start training tomorrow | if ok | if ok go on
    if it's ok, go on | if it is fine, continue | if you agree, proceed | if yes, go on | if good, confirm
    if recall is above 0.8, go on | if recall is good, confirm | if not, go on | if so, continue | if so, yes
    if possible, continue | when ready, go on | when done, continue | when it's fine, confirm | once ready, proceed
    once done, go on | unless it leaks, go on | as soon as it's ok, go on | after that, continue | after lunch, go on
    before you go on | before you continue, wait | assuming it's right, go on | provided it's right, continue
    until then, go on | in case it's ok, confirm | maybe yes | maybe go on | maybe continue | maybe ok | perhaps yes
    perhaps continue | probably ok | probably fine | probably go on | I guess | I guess so | I guess it's ok
    I guess it looks good | I think so | I suppose so | I suppose it's fine | almost ok | nearly good | almost right
    not sure, ok | kind of ok | kinda good | sort of fine | more or less ok | could be ok | might be fine | may be ok
    should be fine | should be ok | would be good | would be ok | could be good | could go on | we could continue
    we could go on | yes we could | I could confirm | I might continue | I may confirm later
"""
NEGATES = """
    ok got it | ok, I see | got it | understood | ok understood | I see | makes sense | ok makes sense | right | indeed
    no | nope | no go | no ok | no, not ok | not ok | not okay | not yet | not now | not good | not fine | not right
    not correct | not perfect | not approved | not accepted | not confirmed | not agreed | not confirmed yet
    not ready | not ready yet | not ready to go | not so fast | not good enough | not great | not sure | not really ok
    not really | not quite right | not at all | not going on | not next | don't | don't go | don't go on
    don't go ahead | don't proceed | don't proceed yet | don't continue | don't continue yet | don't confirm
    don't confirm it | don't confirm yet | don't confirm this | don't accept | don't approve | don't approve it
    don't start | don't start yet | don't start training | don't train | don't train yet | don't train it
    don't do it | don't move on | dont go on | dont confirm | dont proceed | dont continue | dont start | do not
    do not go on | do not go ahead | do not proceed | do not continue | do not confirm | do not confirm yet
    do not accept | do not approve | do not start | do not start training | do not train | please do not go on
    please don't continue | please don't confirm | please don't start | never go on | never confirm | never continue
    never mind | nevermind, ok | no don't | no, don't go on | no wait | no, wait | wait | wait, no | wait please
    ok wait | ok, wait | ok no | ok, no | ok not yet | ok don't | ok, stop | ok stop | ok hold on | yes no | yes, no
    yes and no | yes but no | yes but not yet | yes, but wait | yes, but don't start yet | yes, not | yes, wait
    yes, don't | fine, don't | fine, but not yet | fine, but wait | fine, never mind | fine no | go on, not
    go on, no wait | go on, wait | go on, don't | go on - no, wait | go on, scratch that | go on. No, wait.
    Go on. Wait. | Go on. No. | Go on. Not yet. | Go on. Scratch that. | Go on. Don't. | Go on! No, sorry. | Yes. No.
    Yes. Wait. | Ok. Not yet. | Confirm. No, wait. | Confirm. Stop. | Confirm. No. | Confirm. Correction.
    Confirmed. Not. | Looks good. Not! | Looks good. But wait. | confirm, no | confirm, no wait | confirm nothing
    confirm no | confirm not | confirm, scratch that | confirm none of it | confirm neither | I confirm nothing
    I confirm none | I confirm no plan | I don't confirm | I do not confirm | I can't confirm | I cannot confirm this
    I won't confirm | I will not confirm | I haven't confirmed | I never confirmed | I did not confirm
    I didn't say yes | I didn't confirm | I refuse to confirm | I don't agree | I do not agree | I disagree
    I don't agree with this | I don't approve | I do not approve | I don't accept | I can't accept this
    I can't approve it | I don't want to continue | I don't want to go on | I don't want to proceed
    I do not want to start | I won't go on | I can't go on | I can't continue | I cannot proceed | I'm not ready
    I am not ready to go on | I'm not happy with this | I am not fine with it | I'm not sure it's ok
    I don't think it's ok | I don't think so | I don't think it looks good | I don't know, ok | we can't continue
    we can not go on | we cannot proceed | we don't agree | we should not go on | we shouldn't continue
    you can't go on | you cannot continue | you may not proceed | you must not go on | you should not continue
    you shouldn't proceed | you can not start | let's not | let's not go on | let's not continue | let's not start
    lets not proceed | let us not confirm | this is not ok | this is not fine | this is not right | this isn't right
    this isn't ok | that is not correct | that's not right | that's not ok | that's not good | that's not it
    it's not ok | it's not fine | it is not good | it isn't right | it isn't ok | its not ok | it is not confirmed
    it's not approved | this doesn't look good | this does not look right | doesn't look good | does not look good
    it doesn't look right | it doesn't look good to me | that doesn't sound good | doesn't sound right
    looks not good | looks not right | looks bad | looks wrong | looks odd | looks strange | looks good? no
    looks anything but good | looks far from good | sounds bad | sounds wrong | sounds not good | seems wrong
    seems not right | wrong | incorrect | all wrong | nothing is ok | nothing looks good | none of this is ok
    nothing is confirmed | nobody confirmed | no one agreed | no confirmation | no approval | no agreement
    without confirming | without confirmation | hold on | hold it | hold | stop | stop it | stop, don't go on
    stop before training | stop here | cancel | cancel that | cancel the confirmation | abort | unconfirm | unapprove
    take back my yes | I take back my ok | revoke | withdraw my approval | forget it | forget ok | neither ok nor good
    can't go on | cannot continue | can't continue like this | can't confirm | cannot confirm | can't accept
    won't go on | won't confirm | isn't ok | isn't right | isn't good | aren't we good | shouldn't go on
    mustn't continue | hardly ok | barely fine | far from ok | too early to go on | too early to confirm
    too soon to continue | less than ok | nothing | nothing yet | nothing confirmed | none | nay | nah | nah, go back
    go back | go away | go home | go to hell | go nowhere | go backwards | go slow | go easy | go one step back
    refuse | reject | rejected | reject it | reject the plan | decline | declined | deny | denied | disapprove
    disapproved | disagree | disagreed | unacceptable | unapproved | unconfirmed | unsure | imperfect | uncorrect
    inappropriate | okayish | not agreed, go back | ok is not what I said | yes is not my answer | I said no
    I meant no | I mean no
"""
CHANGES = """
    ok but | ok, but | okay but | ok but drop age | ok, but drop age | ok but with catboost | ok but without xgboost
    ok but faster | ok but only lightgbm | ok but recall | ok but first drop age | ok and drop age
    ok and also catboost | ok with more trees | ok with catboost | ok with recall as the metric | ok without age
    ok without xgboost | ok except | ok except age | ok except for age | ok apart from age | ok other than age
    ok besides | ok for more | ok give me more | ok give it more time | ok, more time | ok, ten minutes
    ok, use random forest | ok use catboost | ok drop age | ok, remove age | ok let me see the data
    ok let me change the target | ok make it faster | ok, make it 10 minutes | ok, one more thing | ok for age
    ok for the split only | ok then drop age | ok now drop age | ok then use lightgbm | ok so drop age | ok so
    ok well | ok and | ok just | ok or | ok instead | ok instead of | ok again | ok restart | ok, start over
    ok go back | ok, undo | ok undo that | yes but | yes, but | yes but drop age | yes, but drop age
    yes, but use recall | yes but with fewer trees | yes but faster | yes, but ten minutes | yes and
    yes and drop age | yes, and use catboost | yes except age | yes, except for xgboost | yes with catboost
    yes without age | yes, drop age | yes drop it | yes, remove it | yes use it | yes, use xgboost | yes add it
    yes, add catboost | yes, more | yes more models | yes, more trees | yes, ten minutes | yes for age
    yes for lightgbm | yes to all | yes to everything | yes to age | yes, the target is age | yes, age | yes 30%
    yes, 30% test rows | yes, change it | yes, undo | yes, undo that | yes, restart | yes, go back | yes, start over
    yes, again | yes, instead | yes also | yes, all the data | yes, all models | yes the first one | yes, the second
    yes, the other one | fine but | fine, but | fine but drop age | fine, but drop age | fine, more time
    fine with more trees | fine without age | fine except age | fine apart from age | fine, use catboost | fine tune
    fine tune it | fine tuning | fine-tune lightgbm | fine, change the metric | looks good but | looks good, but
    looks good but drop age | looks good but use recall | looks good, except age | looks good except
    looks good except for age | looks good apart from age | looks good without age | looks good with catboost
    looks good, add catboost | looks good, drop age | looks good, use recall instead | looks good for lightgbm
    looks good to add catboost | looks better | looks better without age | looks better with recall
    looks good, ten minutes | looks fine except | looks fine but slow | looks fine, drop notes | looks ok, but slow
    looks great, 20 trials | sounds good but | sounds good, but drop age | sounds good, drop age
    sounds good with catboost | sounds better | perfect but | perfect, but drop age | perfect, now drop age
    perfect for age | perfect score | great but | great, but drop age | great, drop age | great, now use catboost
    good but slow | good, but drop age | good, drop age | good recall | good luck | good question
    good accuracy please | good old random forest | correct it | correct the target | correct age | correct the plan
    correct that | correct this please | correct but | correct, but drop age | right but | right, drop age
    right side | right skewed | nice to have catboost | nice but | cool, add catboost | cool down | agreed, but
    agreed, drop age | agreed except age | approve all but age | approve everything except age | approve lightgbm
    approve age as the target | approve without age | accept all but age | accept age | accept lightgbm only
    accept the plan except age | accept with changes | accept missing values | confirm but | confirm but drop age
    confirm, but drop age | confirm and drop age | confirm all but age | confirm except age | confirm without age
    confirm with recall | confirm with catboost | confirm with changes | confirm lightgbm | confirm age
    confirm age as the target | confirm all gates | confirm all stages | confirm everything to the end
    confirm all the rest | confirm every step | confirm automatically | confirm always | always confirm | auto confirm
    auto-confirm everything | confirm for me from now on | confirm the next stages too | confirm twice | confirm again
    confirmed columns | confirm the other one | continue but | continue but drop age | continue, but with recall
    continue without age | continue without xgboost | continue with catboost | continue with recall
    continue with more trees | continue with all the data | continue with all models | continue with age
    continue with less data | continue with another target | continue from scratch | continue from the beginning
    continue from data | continue training longer | continue to tune | continue to the end | continue for 10 minutes
    continue for longer | continue with 20 trials | continue instead | continue the search | continue adding trees
    continue on the test set | continue except | continue through all stages | go on but | go on but drop age
    go on with catboost | go on without age | go on without xgboost | go on with more time | go on but with more time
    go on with 10 minutes | go on with recall | go on for longer | go on for 10 minutes | go on forever
    go on to the end | go on and drop age | go on, drop age | go on, use recall | go on with the others
    go on with all models | go on with age as target | go on from the start | go faster | go deeper | go slower
    go bigger | go with catboost | go with recall | go with lightgbm | go with age | go with the second
    go with the second best | go with something else | go with the other plan | go with defaults only for xgboost
    go for recall | go for speed | go for catboost | go for accuracy over speed | go for age | go back
    go back to data | go to the start | go all the way | go through all | go until export | go all in | proceed but
    proceed but drop age | proceed without | proceed without age | proceed without xgboost | proceed with recall
    proceed with catboost | proceed with all the data | proceed with lightgbm only | proceed with the second best
    proceed with 20% test | proceed faster | proceed to the end | proceed to export directly
    proceed through all stages | proceed automatically | proceed except | proceed from scratch | proceed differently
    proceed with changes | start over | start again | start anew | start from scratch | start from the beginning
    start afresh | start fresh | start with age | start with catboost | start with all the data | start without age
    start with 100 trees | start with a smaller learning rate | start with more data | start from the last
    start with the first model | start another run | start tuning | start a new project | start a search | start but
    start except | start all stages | start everything | start the whole thing again | start the profile again
    restart | rerun | retrain | run again | run it again | run it without | run it without age | run it with catboost
    run it for longer | run it on all the data | run it twice | run everything | run all | run until the end
    run without xgboost | run with recall | run more | run more trials | run longer | run faster | run on the gpu
    run 20 trials | run lightgbm only | run only lightgbm | run again with age | run with all data | run another model
    run the last model | train on all the data | train on all data | train with all the data | train on everything
    train on all rows | train on the full data | train on the whole dataset | train on the entire data
    train on train and validation | train on half of the data | train on new data | train on the test set
    train on 10% of the data | train on the gpu | train more | train more models | train the last model
    train the first model | train again | train it again | train them again | train longer | train it longer
    train for longer | train for 10 minutes | train faster | train without age | train without xgboost
    train it without | train with catboost | train with more trees | train all models | train every model
    train only lightgbm | train only one | train another | train another model | train one more | train some more
    train a new model | train a model | train a better model | train a random forest | train with recall
    train with defaults | train on age | train some | train deeper trees | train lightgbm | train lightgbm first
    train many models | train fewer models | train the best model | train the others | train both | train from scratch
    train and drop age | train but | train except | train now with catboost | train it on all the rows | train for all
    fit on all the data | fit on everything | fit again | fit more trees | fit lightgbm | fit it again | refit
    refit on all the data | start training with catboost | start training without age | start training on all the data
    start training again | start training longer | start training but | start training with more trees
    start training lightgbm only | training with all the data | training on all rows | export without the notebook
    export again | export the data | export only the model | export lightgbm | export as onnx | export to csv
    export it without the report | export everything but the log | export with 20 rows | next use catboost
    next, drop age | next model | next best model | next target | next column | next, try recall | next to age
    next, add catboost | then drop age | and drop age | sure but | sure, but drop age | sure, drop age
    sure, use catboost | of course but | of course, drop age | alright but | alright, drop age
    alright, now use recall | lgtm but | lgtm, but drop age | lgtm except age | lgtm after dropping age
    absolutely no xgboost | definitely drop age | certainly not age | I agree but | I agree except age
    I agree, drop age | I accept but | I approve but | I confirm but | I confirm except age
    I confirm that age is dropped | I confirm the target is age | I want to confirm age
    I would like to start with age | I'd like to continue with catboost | I want to train on all the data
    I want to train more | we can continue without age | you can continue with recall | you can drop age and continue
    you can start with catboost | let's go with catboost | let's go for recall | let's start with lightgbm
    let's continue with all rows | let's train longer | let's train on all data | let's proceed without notes
    let's move age | move on without age | move on with catboost | move age out | keep going longer
    keep going with catboost | keep it | keep it as it was before | keep age | keep xgboost | carry on without age
    carry on with recall | do it | do that | do it again | do it differently | do the same for age | do more | do all
    do all stages | do the rest | do everything | make it so that age is out | make it faster | make it good
    make it right | take the next best | take the next | take it | take all | drop age and go on
    drop age, then continue | drop age, ok | drop age please, then confirm | use catboost and proceed
    Drop age. Go on. | Go on. Drop age. | Yes. Drop age. | Ok. Use recall. | Looks good. Use catboost.
    Confirm. Then drop age. | Continue! With catboost. | undo and go on | add catboost, yes | ten minutes, ok
    recall, please, and go on | 30% test rows, then go | age is the target, confirm
"""


def confirms(text: str, stage: StageId) -> bool:
    actions = ask(text, stage)[0].actions
    assert actions == (ConfirmGate(),) or ConfirmGate() not in actions, text
    return bool(actions) and actions[0] == ConfirmGate()


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_what_confirms(stage: StageId) -> None:
    assert [text for text in sentences(PLAIN) if not confirms(text, stage)] == []


@pytest.mark.parametrize("stage", STAGES[:-1])
@pytest.mark.parametrize("kind", [ASKS, CONDITIONS], ids=["asks", "conditions"])
def test_what_asks_or_sets_a_condition_does_nothing(kind: str, stage: StageId) -> None:
    assert [text for text in sentences(kind) if ask(text, stage)[0].actions] == []


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("continue with training", TRAIN), ("go on with the training", TRAIN), ("continue training", TRAIN),
        ("keep training", TRAIN), ("train", TRAIN), ("continue with the review", REVIEW), ("review it", REVIEW),
        ("go on with preprocessing", PREPROCESS), ("proceed to training", PREPROCESS), ("export it", TRAIN),
    ],
)  # fmt: skip
def test_to_stay_or_to_skip_a_stage_confirms_none(text: str, stage: StageId) -> None:
    assert not confirms(text, stage)


@pytest.mark.parametrize("stage", NEXT)
def test_naming_what_comes_next_confirms_there_and_nowhere_else(stage: StageId) -> None:
    assert [text for text in sentences(NEXT[stage]) if not confirms(text, stage)] == []
    for text in sentences(NEXT[stage]):
        assert not ask(text, stage, StageStatus.IN_PROGRESS)[0].actions


DISTURBING = """
    not | no | never | if | unless | except | without | but | only | maybe | almost | when | until | again
    instead | age | xgboost | recall | 10 | back | over | never mind | I think | should | might | hardly | longer | who
"""


@given(
    text=st.sampled_from(sentences(PLAIN)),
    word=st.sampled_from(sentences(DISTURBING)),
    at=st.integers(0, 12),
    stage=st.sampled_from(STAGES[:-1]),
)
@settings(max_examples=500, deadline=None)
def test_no_word_more_or_other_confirms(text: str, word: str, at: int, stage: StageId) -> None:
    words = text.split()
    assert not confirms(" ".join([*words[:at], word, *words[at:]]), stage)


def test_a_yes_to_an_answer_is_none_to_the_gate() -> None:
    context = msgspec.structs.replace(context_at(SELECT), only_answered=True)
    for yes in ("yes", "ok", "yes please", "sure, thanks"):
        reply = RuleAgent().respond(yes, context)
        assert not reply.actions
        assert "go on" in reply.text
    for plain in ("go on", "confirm", "yes, go on", "looks good"):
        assert RuleAgent().respond(plain, context).actions == (ConfirmGate(),)


def test_a_picture_may_say_no() -> None:
    for no in ("ok 👎", "go on ❌", "🛑 confirm"):
        assert not confirms(no, SELECT)
    assert confirms("go on 👍", SELECT)


@pytest.mark.parametrize("name", ["yes", "ok", "next", "y"])
def test_a_column_s_name_alone_does_not_confirm(name: str) -> None:
    context = msgspec.structs.replace(context_at(PROFILE), columns=("age", name))
    assert not RuleAgent().respond(name, context).actions
    assert not RuleAgent().respond(f"`{name}`", context).actions


@pytest.mark.parametrize("stage", [PREPROCESS, SELECT, TRAIN, REVIEW])
@pytest.mark.parametrize("kind", [ASKS, CONDITIONS, NEGATES, CHANGES], ids=["asks", "conditions", "negates", "changes"])
def test_what_does_not_confirm(kind: str, stage: StageId) -> None:
    known = sentences(kind)
    assert len(known) >= 150
    assert [text for text in known if confirms(text, stage)] == []
